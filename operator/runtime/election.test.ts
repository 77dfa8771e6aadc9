import { expect } from 'chai';
import { ManualClock, settle } from '../../test/support/clock.ts';
import { errorFromStatus } from '../kube/errors.ts';
import type { KubeObject } from '../kube/types.ts';
import { GivingWay, LeaderElector, type LeaderElectorOptions, type Lease, NotLeadingError } from './election.ts';
import { silentLogger } from './logger.ts';

/** One Lease with optimistic locking, that a test can make unreachable. A real API server is used in the integration tests. */
class LeaseStore {
  lease: Lease | undefined;
  writes = 0;
  reads = 0;
  #version = 0;

  /** A client whose link to the store can be cut: calls then hang until they are given up, or fail. */
  client(link: { up: boolean; hangs?: boolean } = { up: true }): LeaderElectorOptions['client'] {
    const guarded = async <T>(signal: AbortSignal | undefined, run: () => T): Promise<T> => {
      if (!link.up) {
        if (link.hangs)
          await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
        throw new Error('ECONNREFUSED');
      }
      await Promise.resolve();
      return run();
    };
    return {
      get: <T extends KubeObject>(_: unknown, signal?: AbortSignal) =>
        guarded(signal, () => {
          this.reads += 1;
          return structuredClone(this.lease) as T | undefined;
        }),
      create: <T extends KubeObject>(object: T, _: unknown, signal?: AbortSignal) =>
        guarded(signal, () => {
          if (this.lease !== undefined) throw errorFromStatus({ code: 409, reason: 'AlreadyExists' });
          return this.#store(object) as unknown as T;
        }),
      update: <T extends KubeObject>(object: T, _: unknown, signal?: AbortSignal) =>
        guarded(signal, () => {
          const current = this.lease?.metadata.resourceVersion;
          if (object.metadata.resourceVersion !== current) throw errorFromStatus({ code: 409, reason: 'Conflict' });
          return this.#store(object) as unknown as T;
        }),
    };
  }

  #store(object: KubeObject): Lease {
    this.writes += 1;
    this.#version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    this.lease = structuredClone({ ...object, metadata });
    return structuredClone(this.lease);
  }
}

interface Candidate {
  readonly elector: LeaderElector;
  readonly log: string[];
  readonly link: { up: boolean; hangs?: boolean };
  /** Stops it as a signal to the process would. */
  stop(): Promise<void>;
}

describe('leader election', () => {
  let clock: ManualClock;
  let store: LeaseStore;
  const candidates: Candidate[] = [];

  beforeEach(() => {
    clock = new ManualClock();
    store = new LeaseStore();
  });

  afterEach(async () => {
    const stopped = Promise.all(candidates.splice(0).map((candidate) => candidate.stop()));
    await clock.advance(60_000);
    await stopped;
  });

  function enter(identity: string, work?: (signal: AbortSignal) => Promise<void>): Candidate {
    const link = { up: true };
    const log: string[] = [];
    const elector = new LeaderElector({
      client: store.client(link),
      namespace: 'ns',
      name: 'operator',
      identity,
      clock,
      random: () => 0,
      logger: silentLogger,
      onLeading: (leading) => log.push(`leading ${leading}`),
    });
    const stop = new AbortController();
    const running = elector.run(
      {
        onStarted: async (signal) => {
          log.push('started');
          signal.addEventListener('abort', () => log.push(`told at ${clock.monotonicMs()}`));
          await work?.(signal);
        },
        onStopped: () => log.push('stopped'),
      },
      stop.signal,
    );
    const candidate: Candidate = {
      elector,
      log,
      link,
      async stop() {
        stop.abort();
        await running;
      },
    };
    candidates.push(candidate);
    return candidate;
  }

  it('lets the first one lead and the others wait, however long', async () => {
    const first = enter('first');
    await settle();
    const second = enter('second');
    await clock.advance(600_000);
    expect([first.elector.isLeader(), second.elector.isLeader()]).to.deep.equal([true, false]);
    expect(first.log).to.deep.equal(['leading false', 'leading true', 'started']);
    expect(second.log).to.deep.equal(['leading false']);
    expect(second.elector.holder).to.equal('first');
  });

  it('writes who leads since when, with the digits that the API demands', async () => {
    enter('first');
    await clock.advance(4_000);
    expect(store.lease?.spec).to.deep.equal({
      holderIdentity: 'first',
      leaseDurationSeconds: 15,
      acquireTime: '2030-01-01T00:00:00.000000Z',
      renewTime: '2030-01-01T00:00:04.000000Z',
      leaseTransitions: 0,
    });
  });

  it('renews every two seconds with one request', async () => {
    enter('first');
    await settle();
    const { reads, writes } = store;
    await clock.advance(60_000);
    expect([store.reads - reads, store.writes - writes]).to.deep.equal([0, 30]);
  });

  it('stops leading before anybody else can start when the API server is out of reach', async () => {
    const first = enter('first');
    await settle();
    const second = enter('second');
    await clock.advance(3_000);
    first.link.up = false;
    let both = false;
    for (let ms = 0; ms < 30_000; ms += 100) {
      await clock.advance(100);
      both ||= first.elector.isLeader() && second.elector.isLeader();
    }
    expect(both).to.equal(false);
    expect(second.elector.isLeader()).to.equal(true);
    expect(first.log).to.include('told at 12000');
    expect(store.lease?.spec?.leaseTransitions).to.equal(1);
  });

  it('stops at the same moment when its requests hang instead of failing', async () => {
    const first = enter('first');
    await clock.advance(3_000);
    first.link.hangs = true;
    first.link.up = false;
    await clock.advance(30_000);
    expect(first.log).to.include('told at 12000');
    expect(first.elector.isLeader()).to.equal(false);
  });

  it('closes the gate as soon as the lease may be lost, though nobody has noticed yet', async () => {
    const first = enter('first');
    await settle();
    expect(first.elector.assertLeading()).to.equal(15_000);
    first.link.up = false;
    await clock.advance(9_999);
    expect(first.elector.assertLeading()).to.equal(5_001);
    await clock.advance(1);
    expect(() => first.elector.assertLeading()).to.throw(NotLeadingError);
  });

  it('judges expiry by when it saw the lease change, not by the times written in it', async () => {
    const metadata = { namespace: 'ns', name: 'operator', resourceVersion: '0' };
    const spec = { holderIdentity: 'other', leaseDurationSeconds: 15, renewTime: '1999-01-01T00:00:00.000000Z' };
    store.lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    const first = enter('first');
    await clock.advance(14_000);
    expect(first.elector.isLeader()).to.equal(false);
    await clock.advance(4_000);
    expect(first.elector.isLeader()).to.equal(true);
  });

  it('gives the lease up when it is stopped, only after its work has ended', async () => {
    const ending = Promise.withResolvers<void>();
    const first = enter('first', () => ending.promise);
    await clock.advance(1_000);
    const second = enter('second');
    await clock.advance(1_000);
    const stopped = first.stop();
    await clock.advance(60_000);
    expect([first.elector.isLeader(), second.elector.isLeader()]).to.deep.equal([true, false]);
    ending.resolve();
    await settle();
    expect(store.lease?.spec?.holderIdentity).to.equal('');
    await stopped;
    await clock.advance(2_000);
    expect(second.elector.isLeader()).to.equal(true);
    expect(first.log.slice(-2)).to.deep.equal(['leading false', 'stopped']);
  });

  it('gives the lease up when its work fails, and competes again', async () => {
    let terms = 0;
    const first = enter('first', async () => {
      terms += 1;
      if (terms === 1) throw new Error('cannot start');
    });
    await settle();
    expect([first.elector.isLeader(), store.lease?.spec?.holderIdentity]).to.deep.equal([false, '']);
    await clock.advance(2_000);
    expect([first.elector.isLeader(), terms]).to.deep.equal([true, 2]);
  });

  it('leaves the lease to another when its work gives way, and takes it again when nobody wants it', async () => {
    const better = Promise.withResolvers<never>();
    const first = enter('first', () => better.promise);
    await clock.advance(1_000);
    const second = enter('second');
    await clock.advance(1_000);
    better.reject(new GivingWay('another stands better'));
    await settle();
    expect([first.elector.isLeader(), store.lease?.spec?.holderIdentity]).to.deep.equal([false, '']);
    await clock.advance(2_000);
    expect([first.elector.isLeader(), second.elector.isLeader()]).to.deep.equal([false, true]);
    await second.stop();
    await clock.advance(6_000);
    expect(first.log.filter((line) => line === 'started')).to.have.length.above(1);
  });

  it('yields at once to somebody who has taken the lease, whatever the reason', async () => {
    const first = enter('first');
    await clock.advance(1_000);
    const lease = store.lease as Lease;
    store.lease = {
      ...lease,
      metadata: { ...lease.metadata, resourceVersion: '77' },
      spec: { ...lease.spec, holderIdentity: 'thief' },
    };
    await clock.advance(1_000);
    expect(first.elector.isLeader()).to.equal(false);
    expect(first.log).to.include('told at 2000');
    expect(first.elector.holder).to.equal('thief');
  });

  it('takes over again when its Lease was deleted', async () => {
    const first = enter('first');
    await clock.advance(1_000);
    store.lease = undefined;
    await clock.advance(3_000);
    expect([first.elector.isLeader(), store.lease]).to.deep.equal([true, store.lease]);
    expect((store.lease as Lease | undefined)?.spec?.holderIdentity).to.equal('first');
  });

  it('refuses times that would let two lead', () => {
    const options = { client: store.client(), namespace: 'ns', name: 'x', logger: silentLogger };
    expect(() => new LeaderElector({ ...options, renewDeadlineMs: 15_000 })).to.throw(RangeError);
    expect(() => new LeaderElector({ ...options, retryPeriodMs: 9_000 })).to.throw(RangeError);
  });
});
