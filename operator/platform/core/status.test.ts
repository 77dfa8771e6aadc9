import { expect } from 'chai';
import type { EffectivePlatform } from './effective.ts';
import type { Platform, PlatformStatus } from './platform.ts';
import { buildStatus, isSameStatus, type StatusInput, transitionEvents } from './status.ts';

const effective = { customers: 100, tier: 100 } as EffectivePlatform;
const platform: Platform = {
  apiVersion: 'isp.support/v1alpha1',
  kind: 'IspSupportPlatform',
  metadata: { name: 'acme', namespace: 'ns', generation: 3 },
};
const ready = { type: 'Ready', status: 'True', reason: 'Healthy', message: 'all is well' } as const;

function input(more: Partial<StatusInput> = {}): StatusInput {
  return {
    platform,
    effective,
    plans: new Map(),
    conditions: [ready],
    operatorVersion: '1.0.0',
    now: new Date('2026-01-01T00:00:00Z'),
    ...more,
  };
}

function withStatus(status: PlatformStatus): Platform {
  return { ...platform, status };
}

describe('buildStatus', () => {
  it('is the same, times included, when nothing has happened', () => {
    const first = buildStatus(input());
    const second = buildStatus(input({ platform: withStatus(first), now: new Date('2026-01-02T00:00:00Z') }));
    expect(isSameStatus(first, second)).to.equal(true);
  });

  it('moves the time of a condition with its status', () => {
    const first = buildStatus(input());
    const later = buildStatus(
      input({
        platform: withStatus(first),
        conditions: [{ ...ready, status: 'False', reason: 'Down' }],
        now: new Date('2026-01-02T00:00:00Z'),
      }),
    );
    expect(later.conditions?.[0]).to.include({
      status: 'False',
      lastTransitionTime: '2026-01-02T00:00:00Z',
      observedGeneration: 3,
    });
  });

  it('drops conditions that are no longer stated', () => {
    const first = buildStatus(input({ conditions: [ready, { ...ready, type: 'Stalled' }] }));
    expect(buildStatus(input({ platform: withStatus(first) })).conditions?.map(({ type }) => type)).to.deep.equal([
      'Ready',
    ]);
  });

  it('keeps the record of the last failover', () => {
    const lastFailover = { component: 'postgres', reason: 'PodDeleted', outcome: 'Succeeded' };
    expect(buildStatus(input({ platform: withStatus({ lastFailover }) })).lastFailover).to.deep.equal(lastFailover);
  });
});

describe('transitionEvents', () => {
  const condition = (type: string, status: 'True' | 'False') => ({
    type,
    status,
    reason: 'R',
    message: 'why',
    lastTransitionTime: '',
  });

  it('tells when a condition turns over, as a warning when that is bad news', () => {
    const ready = condition('Ready', 'True');
    const before = { conditions: [ready, condition('PostgresReady', 'True'), condition('Degraded', 'False')] };
    const after = { conditions: [ready, condition('PostgresReady', 'False'), condition('Degraded', 'True')] };
    expect(transitionEvents(before, after).map(({ type, reason }) => [type, reason])).to.deep.equal([
      ['Warning', 'PostgresNotReady'],
      ['Warning', 'Degraded'],
    ]);
    expect(transitionEvents(after, before).map(({ type, reason }) => [type, reason])).to.deep.equal([
      ['Normal', 'PostgresReady'],
      ['Normal', 'NoLongerDegraded'],
    ]);
  });

  it('says nothing of a new platform that is not ready yet', () => {
    expect(
      transitionEvents(undefined, { conditions: [condition('Ready', 'False'), condition('Degraded', 'False')] }),
    ).to.deep.equal([]);
  });

  it('warns of no redundancy that a platform has yet to reach', () => {
    const before = { conditions: [condition('Ready', 'False'), condition('Degraded', 'False')] };
    const after = { conditions: [condition('Ready', 'False'), condition('Degraded', 'True')] };
    expect(transitionEvents(before, after)).to.deep.equal([]);
  });

  it('says nothing when nothing turns over', () => {
    const same = { conditions: [condition('Ready', 'True'), condition('Progressing', 'True')] };
    expect(
      transitionEvents(same, { conditions: [condition('Ready', 'True'), condition('Progressing', 'False')] }),
    ).to.deep.equal([]);
  });
});
