import { expect } from 'chai';
import type { PlatformStatus, SwitchoverStatus } from '../core/platform.ts';
import { decide } from './decide.ts';
import {
  healthy,
  lockOf,
  memberOf,
  NOW,
  podOf,
  primaryReading,
  replicaReading,
  scopeWith,
  seconds,
  streaming,
} from './fixtures.ts';
import type { Observed } from './observe.ts';

const begun: SwitchoverStatus = {
  request: 'acme-postgres-1/1',
  from: 'acme-postgres-0',
  to: 'acme-postgres-1',
  outcome: 'InProgress',
  startedAt: seconds(-2).toISOString(),
};

function plan(observed: Observed, request: string | undefined, more: PlatformStatus = {}) {
  const status: PlatformStatus = { postgres: { primary: 'acme-postgres-0' }, ...more };
  const scope = scopeWith({ status });
  const annotations = request === undefined ? {} : { 'isp.support/switchover': request };
  const platform = { ...scope.platform, metadata: { ...scope.platform.metadata, annotations } };
  return decide({ ...scope, platform }, observed, []);
}

const moved = healthy({
  members: [
    memberOf(podOf(0), replicaReading()),
    memberOf(podOf(1, { role: 'primary' }), primaryReading([streaming(2)])),
    memberOf(podOf(2), replicaReading()),
  ],
  lock: lockOf(1, seconds(-1)),
});
const noPrimary = healthy({ members: [1, 2].map((one) => memberOf(podOf(one), replicaReading())), lock: undefined });

describe('a planned switchover', () => {
  it('is written down before Patroni is told', () => {
    const first = plan(healthy(), begun.request);
    expect(first.status?.lastSwitchover).to.deep.equal({ ...begun, startedAt: NOW.toISOString() });
    expect(first.actions).to.deep.equal([]);
    expect(first.requeueAfterMs).to.equal(1);
    const second = plan(healthy(), begun.request, { lastSwitchover: begun });
    expect(second.actions).to.deep.equal([
      { type: 'postgres.switchover', address: '10.0.0.0', from: 'acme-postgres-0', to: 'acme-postgres-1' },
    ]);
  });

  it('names nobody where any standby may have it, so that none waits for another', () => {
    const { status, events } = plan(healthy(), 'any/1');
    expect(status?.lastSwitchover).to.deep.equal({
      request: 'any/1',
      from: 'acme-postgres-0',
      outcome: 'InProgress',
      startedAt: NOW.toISOString(),
    });
    expect(events?.map(({ note }) => note)).to.include(
      'acme-postgres-0 hands over to the first standby that takes over',
    );
    const lastSwitchover = status?.lastSwitchover as SwitchoverStatus;
    expect(plan(healthy(), 'any/1', { lastSwitchover }).actions).to.deep.equal([
      { type: 'postgres.switchover', address: '10.0.0.0', from: 'acme-postgres-0' },
    ]);
    const ended = plan(moved, 'any/1', { lastSwitchover });
    expect(ended.status?.lastSwitchover).to.include({ to: 'acme-postgres-1', outcome: 'Succeeded' });
    expect(ended.events?.map(({ note }) => note)).to.deep.equal(['acme-postgres-1 took over from acme-postgres-0']);
  });

  it('has failed when another took over than the one that was named', () => {
    const { status } = plan(moved, 'acme-postgres-2', { lastSwitchover: { ...begun, to: 'acme-postgres-2' } });
    expect(status?.lastSwitchover).to.include({ outcome: 'Failed', message: 'acme-postgres-1 took over instead' });
  });

  it('names the only standby that has everything acknowledged', () => {
    const sync = { leader: 'acme-postgres-0', voters: ['acme-postgres-2'], quorum: 0, version: '70' };
    expect(plan(healthy({ sync }), 'any').status?.lastSwitchover?.to).to.equal('acme-postgres-2');
  });

  it('takes the standby that is the least behind for any when one is far behind', () => {
    const standbys = [streaming(1, { lagBytes: 64 * 1024 ** 2 }), streaming(2)];
    const members = [
      memberOf(podOf(0, { role: 'primary' }), primaryReading(standbys)),
      ...[1, 2].map((one) => memberOf(podOf(one), replicaReading())),
    ];
    expect(plan(healthy({ members }), 'any').status?.lastSwitchover?.to).to.equal('acme-postgres-2');
  });

  const refusals: [string, Observed, string, RegExp][] = [
    ['a member that there is not', healthy(), 'acme-postgres-7', /no member acme-postgres-7.*acme-postgres-1/],
    ['a time without a primary', noPrimary, 'any', /trouble/],
    [
      'a standby without everything acknowledged',
      healthy({ sync: { leader: 'acme-postgres-0', voters: ['acme-postgres-2'], quorum: 0, version: '70' } }),
      'acme-postgres-1',
      /does not stream/,
    ],
  ];
  for (const [what, observed, request, says] of refusals)
    it(`refuses ${what}, once, and says why`, () => {
      const { status, events } = plan(observed, request);
      expect(status?.lastSwitchover).to.include({ request, outcome: 'Refused', finishedAt: NOW.toISOString() });
      expect(status?.lastSwitchover?.message).to.match(says);
      expect(events?.some(({ type, reason }) => type === 'Warning' && reason === 'SwitchoverRefused')).to.equal(true);
      const again = plan(observed, request, status as PlatformStatus);
      expect(again.events?.filter(({ reason }) => reason.startsWith('Switchover'))).to.deep.equal([]);
      expect(again.status?.lastSwitchover).to.equal(undefined);
    });

  it('ends when the new primary serves, and is no failover', () => {
    const { status, events } = plan(moved, begun.request, { lastSwitchover: begun });
    expect(status?.lastSwitchover).to.deep.equal({ ...begun, outcome: 'Succeeded', finishedAt: NOW.toISOString() });
    expect(status?.lastFailover).to.equal(undefined);
    expect(events?.map(({ reason }) => reason)).to.deep.equal(['SwitchoverSucceeded']);
  });

  it('is no failover while nobody is the primary', () => {
    const { status } = plan(noPrimary, begun.request, { lastSwitchover: begun });
    expect(status?.lastFailover).to.equal(undefined);
  });

  it('has failed when nobody took over in time', () => {
    const late = { ...begun, startedAt: seconds(-61).toISOString() };
    const { status, actions } = plan(healthy(), begun.request, { lastSwitchover: late });
    expect(status?.lastSwitchover).to.include({ outcome: 'Failed' });
    expect(actions).to.deep.equal([]);
  });

  it('does nothing more with a request that was acted on', () => {
    const done = { ...begun, outcome: 'Succeeded' };
    expect(plan(healthy(), begun.request, { lastSwitchover: done }).actions).to.deep.equal([]);
    expect(plan(healthy(), 'any/2', { lastSwitchover: done }).status?.lastSwitchover).to.include({ request: 'any/2' });
  });
});
