import { expect } from 'chai';
import { KubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/types.ts';
import { failureOf, type Input, initialState, type ReflectorState, type Step, step } from './reflector-machine.ts';

function object(name: string, resourceVersion: string, annotations?: Record<string, string>): KubeObject {
  const metadata = { namespace: 'ns', name, resourceVersion, ...(annotations ? { annotations } : {}) };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata };
}

function error(status: number, reason: string, more: { retryAfterMs?: number; causes?: { reason: string }[] } = {}) {
  const { retryAfterMs, causes } = more;
  return new KubeError({
    message: '',
    status,
    reason,
    retryable: true,
    retryAfterMs,
    details: causes === undefined ? undefined : { causes },
  });
}

describe('reflector machine', () => {
  let state: ReflectorState<KubeObject>;
  let nowMs: number;

  beforeEach(() => {
    state = initialState();
    nowMs = 0;
  });

  function given(input: Input<KubeObject>): Step<KubeObject> {
    return step(state, input, { nowMs, random: () => 0.5 });
  }

  function fails(cause: unknown): Step<KubeObject> {
    return given({ type: 'failed', failure: failureOf(cause) });
  }

  function event(type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK', of: KubeObject): Step<KubeObject> {
    return given({ type: 'event', event: { type, object: of } });
  }

  function endOfInitialEvents(resourceVersion: string): Step<KubeObject> {
    return event('BOOKMARK', object('', resourceVersion, { 'k8s.io/initial-events-end': 'true' }));
  }

  function follow(resourceVersion = '10'): void {
    given({ type: 'start' });
    endOfInitialEvents(resourceVersion);
  }

  /** Leads to a server without WatchList. */
  function withoutWatchList(): Step<KubeObject> {
    given({ type: 'start' });
    return fails(error(422, 'Invalid'));
  }

  it('asks for the present objects as a stream first', () => {
    const { command } = given({ type: 'start' });
    expect(command).to.deep.equal({
      type: 'watch',
      options: {
        sendInitialEvents: true,
        resourceVersionMatch: 'NotOlderThan',
        resourceVersion: '',
        timeoutSeconds: 450,
      },
    });
  });

  it('keeps initial events back until the bookmark that ends them, then replaces the cache and reads on', () => {
    given({ type: 'start' });
    expect(event('ADDED', object('a', '1'))).to.deep.equal({});
    expect(event('ADDED', object('b', '2'))).to.deep.equal({});
    expect(event('MODIFIED', object('a', '3'))).to.deep.equal({});
    expect(event('DELETED', object('b', '4'))).to.deep.equal({});
    expect(event('BOOKMARK', object('', '4'))).to.deep.equal({});
    const { change, command } = endOfInitialEvents('5');
    expect(change?.type === 'replace' && [...change.objects]).to.deep.equal([object('a', '3')]);
    expect(command).to.equal(undefined);
    expect(event('ADDED', object('c', '6')).change).to.deep.equal({ type: 'put', object: object('c', '6') });
  });

  it('falls back to lists in pages where the server refuses such streams, and does not ask for one again', () => {
    expect(withoutWatchList().command).to.deep.equal({
      type: 'list',
      options: { limit: 500, resourceVersion: '0', resourceVersionMatch: 'NotOlderThan' },
    });
    const first = given({
      type: 'page',
      list: { items: [object('a', '1')], resourceVersion: '7', continue: 'more' },
    });
    expect(first).to.deep.equal({ command: { type: 'list', options: { limit: 500, continue: 'more' } } });
    const last = given({ type: 'page', list: { items: [object('b', '2')], resourceVersion: '7' } });
    expect(last.change).to.deep.equal({ type: 'replace', objects: [object('a', '1'), object('b', '2')] });
    expect(last.command).to.deep.equal({ type: 'watch', options: { resourceVersion: '7', timeoutSeconds: 450 } });
    fails(error(410, 'Expired'));
    expect(state.phase.name).to.equal('listing');
  });

  it('reads the newest list after a version was too old', () => {
    withoutWatchList();
    given({ type: 'page', list: { items: [], resourceVersion: '7' } });
    expect(fails(error(410, 'Expired')).command).to.deep.equal({ type: 'list', options: { limit: 500 } });
  });

  it('starts a list over when its continue token has expired', () => {
    withoutWatchList();
    given({ type: 'page', list: { items: [object('a', '1')], resourceVersion: '7', continue: 'more' } });
    expect(fails(error(410, 'Expired')).command).to.deep.equal({ type: 'list', options: { limit: 500 } });
    const { change } = given({ type: 'page', list: { items: [object('b', '2')], resourceVersion: '9' } });
    expect(change).to.deep.equal({ type: 'replace', objects: [object('b', '2')] });
  });

  it('goes on from the last version when a watch ends by itself', () => {
    follow('10');
    event('MODIFIED', object('a', '12'));
    nowMs = 400_000;
    expect(given({ type: 'closed' }).command).to.deep.equal({
      type: 'watch',
      options: { resourceVersion: '12', timeoutSeconds: 450 },
    });
  });

  it('goes on from a bookmark, so that a quiet collection does not grow too old', () => {
    follow('10');
    event('BOOKMARK', object('', '99'));
    const { command } = given({ type: 'closed' });
    expect(command?.type === 'watch' && command.options.resourceVersion).to.equal('99');
  });

  it('waits before it asks again when a watch ends at once and in silence', () => {
    follow();
    given({ type: 'closed' });
    nowMs = 500;
    expect(given({ type: 'closed' }).command?.type).to.equal('wait');
  });

  it('resumes the watch, and does not list, after a broken connection', () => {
    follow('10');
    expect(fails(new Error('ECONNRESET')).command).to.deep.equal({ type: 'wait', ms: 1_200 });
    const { command } = given({ type: 'elapsed' });
    expect(command).to.deep.equal({ type: 'watch', options: { resourceVersion: '10', timeoutSeconds: 450 } });
  });

  it('waits longer with each failure, up to 30 s and the spread, and shortly again after two quiet minutes', () => {
    follow();
    const waits = Array.from({ length: 8 }, () => {
      const { command } = fails(new Error('ECONNREFUSED'));
      given({ type: 'elapsed' });
      return command?.type === 'wait' ? command.ms : undefined;
    });
    expect(waits).to.deep.equal([1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 45_000, 45_000]);
    nowMs += 120_001;
    expect(fails(new Error('ECONNREFUSED')).command).to.deep.equal({ type: 'wait', ms: 1_200 });
  });

  it('waits as long as a busy server asks', () => {
    follow();
    expect(fails(error(429, 'TooManyRequests', { retryAfterMs: 9_000 })).command).to.deep.equal({
      type: 'wait',
      ms: 9_000,
    });
  });

  it('starts over at once when the version is too old, and only with a wait when it is so again', () => {
    follow('10');
    const { command } = fails(error(410, 'Expired'));
    expect(command?.type === 'watch' && command.options.sendInitialEvents).to.equal(true);
    expect(command?.type === 'watch' && command.options.resourceVersion).to.equal('');
    expect(fails(error(410, 'Expired')).command?.type).to.equal('wait');
  });

  it('asks for the newest when the server has not yet seen the version that another one gave', () => {
    follow('10');
    const tooLarge = error(504, 'Timeout', { causes: [{ reason: 'ResourceVersionTooLarge' }] });
    const { command } = fails(tooLarge);
    expect(command?.type === 'watch' && command.options.resourceVersion).to.equal('');
  });

  it('keeps the cache when a stream of initial objects breaks, and starts that stream over', () => {
    follow('10');
    fails(error(410, 'Expired'));
    event('ADDED', object('a', '20'));
    expect(fails(new Error('ECONNRESET'))).to.deep.equal({ command: { type: 'wait', ms: 1_200 } });
    given({ type: 'elapsed' });
    event('ADDED', object('b', '21'));
    const { change } = endOfInitialEvents('22');
    expect(change?.type === 'replace' && [...change.objects].map(({ metadata }) => metadata.name)).to.deep.equal(['b']);
  });

  it('ignores what comes late from a stream that it has given up', () => {
    follow('10');
    fails(new Error('ECONNRESET'));
    expect(event('ADDED', object('late', '11'))).to.deep.equal({});
    expect(state.resourceVersion).to.equal('10');
  });
});
