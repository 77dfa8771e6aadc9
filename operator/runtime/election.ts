import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { KubeClient } from '../kube/client.ts';
import { isAlreadyExists, isConflict } from '../kube/errors.ts';
import { resources } from '../kube/resources.ts';
import type { KubeObject, ObjectRef } from '../kube/types.ts';
import { type Clock, systemClock } from './clock.ts';
import { rfc3339Micro } from './conditions.ts';
import type { Logger } from './logger.ts';

/** coordination.k8s.io/v1 Lease. */
export interface Lease extends KubeObject {
  spec?: LeaseSpec;
}

export interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

export interface LeaderElectorOptions {
  client: Pick<KubeClient, 'get' | 'create' | 'update'>;
  namespace: string;
  /** Name of the Lease. */
  name: string;
  /** Who this is; unique for every process. Default: the host's name and something random. */
  identity?: string;
  /** How long the others wait after the last renewal they saw before they take the lease. */
  leaseDurationMs?: number;
  /** How long the leader leads after the last renewal that it knows of. Less than the lease: the difference covers what is under way. */
  renewDeadlineMs?: number;
  retryPeriodMs?: number;
  clock?: Clock;
  random?: () => number;
  logger: Logger;
  onLeading?: (leading: boolean) => void;
}

export interface LeaderCallbacks {
  /**
   * The work of a leader. The signal aborts when leadership ends; only when what is returned has settled is the lease given to others. A
   * rejection gives it up; one with `GivingWay` leaves it to another candidate for a while.
   */
  onStarted(signal: AbortSignal): Promise<void>;
  onStopped(): void;
}

/** A write was attempted by somebody who may not be the leader any more. */
export class NotLeadingError extends Error {
  override readonly name = 'NotLeadingError';
}

/** The leader's work ends so that another candidate leads in its place. */
export class GivingWay extends Error {
  override readonly name = 'GivingWay';
}

const LEASE_MS = 15_000;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_MS = 2_000;
/** Waiting candidates do not ask all at the same moment. */
const JITTER = 0.2;
/** Of retry periods: time for every other candidate to ask. */
const GIVING_WAY_RETRIES = 3;

/**
 * At most one process leads. Candidates agree over a Lease; whether one has expired each judges by its own monotonic clock from when it last
 * saw it change, never by the times written in it, so clocks need not agree.
 */
export class LeaderElector {
  readonly identity: string;
  readonly #options: LeaderElectorOptions;
  readonly #ref: ObjectRef;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #leaseMs: number;
  readonly #deadlineMs: number;
  readonly #retryMs: number;
  #seen: { lease: Lease; record: string; at: number } | undefined;
  /** When the request that last renewed the lease was sent; undefined while not leading. */
  #renewedAt: number | undefined;

  constructor(options: LeaderElectorOptions) {
    this.identity = options.identity ?? `${hostname()}_${randomUUID()}`;
    this.#options = options;
    this.#ref = { resource: resources.leases, namespace: options.namespace, name: options.name };
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger.child({ lease: `${options.namespace}/${options.name}`, identity: this.identity });
    this.#leaseMs = options.leaseDurationMs ?? LEASE_MS;
    this.#deadlineMs = options.renewDeadlineMs ?? RENEW_DEADLINE_MS;
    this.#retryMs = options.retryPeriodMs ?? RETRY_MS;
    if (this.#deadlineMs >= this.#leaseMs || this.#retryMs * (1 + JITTER) >= this.#deadlineMs) {
      throw new RangeError('a lease must last longer than the deadline of its renewal, and that longer than a retry');
    }
  }

  /** Who held the lease when it was last looked at; empty when nobody did. */
  get holder(): string {
    return this.#seen?.lease.spec?.holderIdentity ?? '';
  }

  /** Whether this process leads now. */
  isLeader(): boolean {
    return this.#remainingMs() > 0;
  }

  /**
   * For how long a request that is sent now may take, in milliseconds, so that it ends before anybody else can lead. Throws when this process
   * does not lead. Made to be the gate of a `KubeClient`.
   */
  assertLeading(): number {
    if (this.#renewedAt === undefined || !this.isLeader()) {
      throw new NotLeadingError(
        `${this.identity} does not hold the lease ${this.#options.namespace}/${this.#options.name}`,
      );
    }
    return this.#renewedAt + this.#leaseMs - this.#clock.monotonicMs();
  }

  /** Competes for the lease and leads whenever it has it, until the signal aborts; then gives the lease up. */
  async run(callbacks: LeaderCallbacks, signal: AbortSignal): Promise<void> {
    this.#options.onLeading?.(false);
    while (!signal.aborted) {
      if (await this.#attempt(signal)) await this.#lead(callbacks, signal);
      else await this.#pause(this.#retryMs * (1 + (this.#options.random ?? Math.random)() * JITTER), signal);
    }
  }

  async #lead(callbacks: LeaderCallbacks, signal: AbortSignal): Promise<void> {
    this.#logger.info('leading');
    this.#options.onLeading?.(true);
    const term = new AbortController();
    const onStop = () => term.abort(signal.reason);
    signal.addEventListener('abort', onStop, { once: true });
    if (signal.aborted) onStop();
    const work = this.#work(callbacks, term);
    await this.#renewWhileLeading(term);
    signal.removeEventListener('abort', onStop);
    // The lease is still ours and is kept while the work comes to its end, or has been lost and is not to be had before.
    await this.#keepUntil(work);
    await this.#release();
    this.#options.onLeading?.(false);
    this.#logger.info('no longer leading');
    this.#notify(callbacks);
    const retries = term.signal.reason instanceof GivingWay ? GIVING_WAY_RETRIES : 1;
    if (!signal.aborted) await this.#pause(this.#retryMs * retries, signal);
  }

  async #work(callbacks: LeaderCallbacks, term: AbortController): Promise<void> {
    try {
      await callbacks.onStarted(term.signal);
    } catch (error) {
      if (error instanceof GivingWay) this.#logger.info('giving way', { reason: error.message });
      else if (!term.signal.aborted)
        this.#logger.error('the work of the leader has failed: giving the lease up', { error });
      term.abort(error);
    }
  }

  /** Returns when the term has ended, and ends it when the lease could not be renewed in time. */
  async #renewWhileLeading(term: AbortController): Promise<void> {
    while (!term.signal.aborted) {
      await this.#pause(Math.min(this.#retryMs, this.#remainingMs()), term.signal);
      if (term.signal.aborted) return;
      const renewed = await this.#attempt(term.signal);
      if (renewed || term.signal.aborted || this.isLeader()) continue;
      this.#logger.error('the lease could not be renewed', { holder: this.holder });
      this.#renewedAt = undefined;
      term.abort(new NotLeadingError('the lease could not be renewed in time'));
    }
  }

  async #keepUntil(work: Promise<void>): Promise<void> {
    const ended = new AbortController();
    const over = work.finally(() => ended.abort());
    while (!ended.signal.aborted && this.isLeader()) {
      await this.#pause(Math.min(this.#retryMs, this.#remainingMs()), ended.signal);
      if (!ended.signal.aborted && this.isLeader()) await this.#attempt(ended.signal);
    }
    await over;
  }

  #notify(callbacks: LeaderCallbacks): void {
    try {
      callbacks.onStopped();
    } catch (error) {
      this.#logger.error('a callback of the elector has failed', { error });
    }
  }

  /** One try to take or renew the lease; false when somebody else has it or nothing could be found out. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    const limit = new AbortController();
    const onAbort = () => limit.abort(signal.reason);
    if (signal.aborted) return false;
    signal.addEventListener('abort', onAbort, { once: true });
    const mostMs = this.#renewedAt === undefined ? this.#deadlineMs : this.#remainingMs();
    const timer = this.#clock.setTimeout(
      () => limit.abort(new Error('the API server took too long')),
      Math.min(this.#deadlineMs / 2, mostMs),
    );
    try {
      return await this.#acquireOrRenew(limit.signal);
    } catch (error) {
      if (!signal.aborted) this.#logger.warn('the lease could not be read or written', { error });
      return false;
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #acquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const sentAt = this.#clock.monotonicMs();
    // The leader knows what it wrote last and needs no reading; when somebody else wrote, the conflict says so.
    const own = this.#renewedAt === undefined ? undefined : this.#seen?.lease;
    if (own !== undefined && (await this.#write(own, sentAt, signal))) return true;
    const lease = await this.#options.client.get<Lease>(this.#ref, signal);
    if (lease === undefined) return this.#create(sentAt, signal);
    this.#observe(lease);
    if (!this.#mayTake(lease)) {
      this.#renewedAt = undefined;
      return false;
    }
    return this.#write(lease, this.#clock.monotonicMs(), signal);
  }

  #mayTake({ spec = {} }: Lease): boolean {
    if (!spec.holderIdentity || spec.holderIdentity === this.identity) return true;
    const lastsMs = spec.leaseDurationSeconds === undefined ? this.#leaseMs : spec.leaseDurationSeconds * 1000;
    return this.#seen === undefined || this.#clock.monotonicMs() >= this.#seen.at + lastsMs;
  }

  async #create(sentAt: number, signal: AbortSignal): Promise<boolean> {
    const { namespace, name } = this.#options;
    const metadata = { namespace, name };
    const lease: Lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: this.#record({}) };
    try {
      this.#won(await this.#options.client.create(lease, {}, signal), sentAt);
      return true;
    } catch (error) {
      if (isAlreadyExists(error)) return false;
      throw error;
    }
  }

  /** Writes the lease over the version that was read; false when somebody else has written since. */
  async #write(lease: Lease, sentAt: number, signal: AbortSignal): Promise<boolean> {
    try {
      const next = { ...lease, spec: this.#record(lease.spec ?? {}) };
      this.#won(await this.#options.client.update(next, {}, signal), sentAt);
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }

  #record(before: LeaseSpec): LeaseSpec {
    const now = rfc3339Micro(this.#clock.now());
    const mine = before.holderIdentity === this.identity;
    const firstEver = before.holderIdentity === undefined;
    return {
      ...before,
      holderIdentity: this.identity,
      leaseDurationSeconds: Math.ceil(this.#leaseMs / 1000),
      acquireTime: mine && before.acquireTime ? before.acquireTime : now,
      renewTime: now,
      leaseTransitions: (before.leaseTransitions ?? 0) + (mine || firstEver ? 0 : 1),
    };
  }

  #won(lease: Lease, sentAt: number): void {
    this.#observe(lease);
    this.#renewedAt = sentAt;
  }

  #observe(lease: Lease): void {
    const record = JSON.stringify(lease.spec);
    // Only a change of what the holder writes is a sign of life.
    const at = this.#seen?.record === record ? this.#seen.at : this.#clock.monotonicMs();
    this.#seen = { lease, record, at };
  }

  /** Lets the next one lead at once. */
  async #release(): Promise<void> {
    if (!this.isLeader() || this.#seen === undefined) {
      this.#renewedAt = undefined;
      return;
    }
    const { lease } = this.#seen;
    this.#renewedAt = undefined;
    const limit = new AbortController();
    const timer = this.#clock.setTimeout(() => limit.abort(new Error('took too long')), this.#deadlineMs / 2);
    try {
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 };
      await this.#options.client.update({ ...lease, spec }, {}, limit.signal);
    } catch (error) {
      this.#logger.warn('the lease could not be released and will expire', { error });
    } finally {
      timer.cancel();
    }
  }

  #remainingMs(): number {
    return this.#renewedAt === undefined ? 0 : this.#renewedAt + this.#deadlineMs - this.#clock.monotonicMs();
  }

  /** Sleeps; an abort only ends the sleep. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#clock.sleep(Math.max(ms, 0), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
