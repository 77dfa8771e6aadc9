import { expect } from 'chai';
import fc from 'fast-check';
import type { Pod } from '../../kube/resources.ts';
import type { ComponentPlan } from '../core/component.ts';
import type { PlatformStatus } from '../core/platform.ts';
import { decide } from './decide.ts';
import {
  failingReading,
  greeting,
  healthy,
  memberOf,
  NOW,
  podOf,
  primaryReading,
  replicaReading,
  scopeWith,
  streaming,
} from './fixtures.ts';
import type { Observed } from './observe.ts';

const THRESHOLD = 3;
const LEAST_SHUT_SECONDS = 15;
const names = [0, 1, 2].map((ordinal) => `acme-postgres-${ordinal}`);

type Happening =
  | {
      readonly type: 'seconds';
      readonly times: number;
      readonly renewed: boolean;
      readonly answered: readonly boolean[];
    }
  | { readonly type: 'ended' | 'gone' | 'deleted' | 'elected' | 'thawed' }
  /** The primary greets nobody any more, or only the operator does not get there. */
  | { readonly type: 'shut'; readonly toAll: boolean }
  /** The operator looks, and is ended after so many writes. */
  | { readonly type: 'reconcile'; readonly writes: number; readonly holds: boolean };

interface Body {
  uid: string;
  dead: boolean;
  deleting: boolean;
  failures: number;
  /** Seconds for which the operator, and the other members, were not greeted. */
  unheard: number;
  unheardByAll: number;
  shut: 'no' | 'operator' | 'all';
}

const FRESH = { dead: false, deleting: false, failures: 0, unheard: 0, unheardByAll: 0, shut: 'no' } as const;

/** Three members, one lock and what the operator can see and do; time goes by in seconds. */
class Model {
  now = NOW.getTime();
  version = 1;
  holder: number | undefined = 0;
  renewedAt = NOW.getTime();
  departed: Pod | undefined;
  status: PlatformStatus = { postgres: { primary: 'acme-postgres-0' } };
  readonly bodies: Body[] = names.map((_, ordinal) => ({ ...FRESH, uid: `pod-${ordinal}` }));
  readonly fenced = new Map<string, Set<string>>();
  #uids = 0;

  happen(one: Happening): void {
    const primary = this.holder === undefined ? undefined : this.bodies[this.holder];
    switch (one.type) {
      case 'seconds':
        for (let past = 0; past < one.times; past += 1) this.#second(one.renewed, one.answered);
        break;
      case 'ended':
        if (primary !== undefined) primary.dead = true;
        break;
      case 'deleted':
        if (primary !== undefined) primary.deleting = true;
        break;
      case 'gone':
        this.#replace();
        break;
      case 'elected':
        if (this.holder === undefined) this.#elect();
        break;
      case 'thawed':
        for (const body of this.bodies) {
          if (!body.dead) body.failures = 0;
          body.shut = 'no';
        }
        break;
      case 'shut':
        if (primary !== undefined) primary.shut = one.toAll ? 'all' : 'operator';
        break;
      case 'reconcile':
        this.#reconcile(one.writes, one.holds);
        break;
    }
  }

  #second(renewed: boolean, answered: readonly boolean[]): void {
    this.now += 1000;
    for (const [ordinal, body] of this.bodies.entries()) {
      body.failures = answered[ordinal] === true && !body.dead ? 0 : Math.min(body.failures + 1, THRESHOLD);
      body.unheard = body.shut === 'no' || body.dead ? 0 : body.unheard + 1;
      body.unheardByAll = body.shut !== 'all' || body.dead ? 0 : body.unheardByAll + 1;
    }
    if (renewed && this.bodies[this.holder ?? -1]?.dead === false) this.#renew();
  }

  observed(): Observed {
    const { holder } = this;
    const looked = this.bodies[holder ?? 0];
    const sight = (unheard = 0) => greeting(looked?.uid ?? '', unheard === 0 ? 'greeted' : unheard, new Date(this.now));
    const members = this.bodies.map((body, ordinal) => {
      const pod = this.#pod(body, ordinal);
      if (body.failures > 0) return memberOf(pod, failingReading(body.failures, NOW), new Date(this.now));
      const behind = [0, 1, 2].filter((one) => one !== ordinal).map((one) => streaming(one));
      const member = memberOf(pod, ordinal === holder ? primaryReading(behind) : replicaReading(), new Date(this.now));
      return ordinal === holder ? member : { ...member, greeting: sight(looked?.unheardByAll) };
    });
    const leader = names[holder ?? 0] ?? '';
    return healthy({
      members,
      departed: this.departed,
      greeting: sight(looked?.unheard),
      lock:
        holder === undefined
          ? undefined
          : { holder: leader, acquiredAt: NOW, renewedAt: new Date(this.renewedAt), version: String(this.version) },
      syncLeader: leader,
      sync: { leader, voters: names.filter((name) => name !== leader), quorum: 1, version: '70' },
    });
  }

  #pod(body: Body, ordinal: number): Pod {
    const pod = podOf(ordinal, { role: ordinal === this.holder ? 'primary' : 'replica', deleting: body.deleting });
    const grace = body.deleting ? { deletionGracePeriodSeconds: 1 } : {};
    const running = { ...pod, metadata: { ...pod.metadata, uid: body.uid, ...grace } };
    if (!body.dead) return running;
    const state = { terminated: { exitCode: 137, finishedAt: new Date(this.now).toISOString() } };
    const containerStatuses = (pod.status?.containerStatuses ?? []).map((status) => ({ ...status, state }));
    return { ...running, status: { ...pod.status, phase: body.deleting ? 'Failed' : 'Running', containerStatuses } };
  }

  #renew(): void {
    this.renewedAt = this.now;
    this.version += 1;
  }

  #elect(): void {
    const next = this.bodies.findIndex(({ dead, failures }) => !dead && failures === 0);
    if (next < 0) return;
    this.holder = next;
    this.#renew();
  }

  /** A pod being deleted goes, dead or (by force) alive, and another comes. */
  #replace(): void {
    const ordinal = this.bodies.findIndex(({ deleting }) => deleting);
    const body = this.bodies[ordinal];
    if (body === undefined) return;
    this.departed = this.#pod(body, ordinal);
    this.#uids += 1;
    this.bodies[ordinal] = { ...FRESH, uid: `pod-${ordinal}-${this.#uids}` };
  }

  #reconcile(writes: number, holds: boolean): void {
    const observed = this.observed();
    const scope = { ...scopeWith({ status: this.status }), now: new Date(this.now) };
    const plan = decide(scope, observed, []);
    let left = writes;
    const write = (work: () => void) => {
      if (left <= 0) return;
      left -= 1;
      work();
    };
    this.#carryOut(plan, write, holds);
    write(() => {
      this.status = { ...this.status, ...plan.status };
    });
  }

  #carryOut(
    { actions = [], patches = [], remove = [] }: ComponentPlan,
    write: (work: () => void) => void,
    holds: boolean,
  ): void {
    const holding = actions.some(({ type }) => type === 'postgres.hold');
    if (!holding || holds)
      for (const { ref, guard } of patches)
        write(() => {
          if (!ref.name.endsWith('-leader')) return;
          if (!('resourceVersion' in guard) || guard.resourceVersion !== String(this.version)) return;
          const body = this.bodies[this.holder ?? 0];
          expect(
            holding || body?.dead === true || this.departed !== undefined,
            'a lock is cleared with a proof',
          ).to.equal(true);
          this.holder = undefined;
          this.version += 1;
        });
    for (const { ref, uid = '', gracePeriodSeconds } of remove)
      write(() => this.#remove(ref.name, uid, gracePeriodSeconds));
  }

  #remove(name: string, uid: string, grace: number | undefined): void {
    const ordinal = names.indexOf(name);
    const body = this.bodies[ordinal];
    const record = this.status.lastFailover;
    expect(ordinal, 'only the holder of the lock is fenced').to.equal(this.holder);
    const isShut = Math.min(body?.unheard ?? 0, body?.unheardByAll ?? 0) >= LEAST_SHUT_SECONDS;
    expect(isShut || body?.failures === THRESHOLD, 'nobody is fenced before the threshold').to.equal(true);
    const others = this.bodies.filter((other) => other !== body);
    expect(
      others.every(({ failures, deleting }) => failures === 0 && !deleting),
      'nobody is fenced whom nobody can follow',
    ).to.equal(true);
    expect(grace, 'a kubelet is asked').to.be.greaterThan(0);
    expect(record?.podUID, 'the UID is in the status first').to.equal(uid);
    const key = record?.detectedAt ?? '';
    const uids = this.fenced.get(key) ?? new Set();
    this.fenced.set(key, uids.add(uid));
    expect(uids.size, 'one pod a failover').to.equal(1);
    if (body?.uid === uid) body.deleting = true;
  }
}

const happenings: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('reconcile' as const), writes: fc.nat(4), holds: fc.boolean() }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('seconds' as const),
      times: fc.constantFrom(1, 1, 1, 1, 4, 16),
      renewed: fc.boolean(),
      answered: fc.tuple(fc.constantFrom(false, false, true), fc.boolean(), fc.constant(true)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('shut' as const), toAll: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('ended', 'gone', 'deleted', 'elected', 'thawed') }) },
);

describe('the failover driver, whatever happens and wherever it is ended', () => {
  it('fences only what has failed often enough, one pod at a time, and clears no lock without a proof', () => {
    fc.assert(
      fc.property(fc.array(happenings, { minLength: 5, maxLength: 60 }), (history) => {
        const model = new Model();
        for (const one of history) model.happen(one);
      }),
      { numRuns: 1_000 },
    );
  });

  it('comes to another primary after a primary that stays silent, even if it is ended after every write', () => {
    const model = new Model();
    for (let second = 0; second < 10; second += 1) {
      model.happen({ type: 'seconds', times: 1, renewed: false, answered: [false, true, true] });
      for (let turn = 0; turn < 6; turn += 1) model.happen({ type: 'reconcile', writes: turn % 4, holds: true });
      model.happen({ type: 'elected' });
    }
    expect(model.holder).to.equal(1);
    model.happen({ type: 'reconcile', writes: 4, holds: true });
    expect(model.status.lastFailover).to.include({ outcome: 'Succeeded', from: names[0], to: names[1] });
  });

  it('comes to another primary after one that renews its lock and greets nobody, even if it is ended after every write', () => {
    const model = new Model();
    model.happen({ type: 'shut', toAll: true });
    for (let past = 0; past < 40 && model.holder === 0; past += 1) {
      model.happen({ type: 'seconds', times: 1, renewed: true, answered: [true, true, true] });
      for (let turn = 0; turn < 6; turn += 1) model.happen({ type: 'reconcile', writes: turn % 4, holds: true });
      // Its kubelet does what it is told.
      if (model.bodies[0]?.deleting === true) model.happen({ type: 'ended' });
    }
    model.happen({ type: 'elected' });
    expect(model.holder).to.equal(1);
    model.happen({ type: 'reconcile', writes: 4, holds: true });
    expect(model.status.lastFailover).to.include({
      outcome: 'Succeeded',
      reason: 'PrimaryWedged',
      from: names[0],
      to: names[1],
    });
  });
});
