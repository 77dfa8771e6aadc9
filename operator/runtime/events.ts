import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound, KubeError } from '../kube/errors.ts';
import { resources } from '../kube/resources.ts';
import type { KubeObject } from '../kube/types.ts';
import { type Clock, systemClock, type Timer } from './clock.ts';
import { rfc3339Micro } from './conditions.ts';
import { deepFreeze } from './freeze.ts';
import type { Logger } from './logger.ts';
import { TokenBuckets } from './token-buckets.ts';

export interface EventInput {
  type: 'Normal' | 'Warning';
  /** Why, in CamelCase: machines read it. */
  reason: string;
  /** What was done or not, in CamelCase. */
  action: string;
  /** For people; at most 1 kB. */
  note: string;
  /** Another object that it is about. */
  related?: KubeObject;
}

/** events.k8s.io/v1 Event. */
export interface KubeEvent extends KubeObject {
  eventTime: string;
  reportingController: string;
  reportingInstance: string;
  type: string;
  reason: string;
  action: string;
  note: string;
  regarding: ObjectReference;
  related?: ObjectReference;
  series?: { count: number; lastObservedTime: string };
}

interface ObjectReference {
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
  uid?: string;
  resourceVersion?: string;
}

export interface EventRecorderOptions {
  client: Pick<KubeClient, 'create' | 'patch'>;
  /** Who reports, as a qualified name. */
  controller: string;
  /** Which of them; default: the host's name. */
  instance?: string;
  clock?: Clock;
  logger: Logger;
}

interface Series {
  readonly event: KubeEvent;
  count: number;
  lastAt: number;
  lastObserved: Date;
  /** Whether a write of this series waits or is under way. */
  pending: boolean;
  /** When it was last written, and with which count; 0 before the first time. */
  sentAt: number;
  sentCount: number;
  /** Whether the last write was given up: the next one waits like any other of a running series. */
  failed: boolean;
  timer: Timer | undefined;
}

const NOTE_BYTES = 1_024;
const MAX_PENDING = 1_000;
const MAX_SERIES = 1_000;
/** What repeats within this time belongs to one series, as in client-go. */
const SERIES_MS = 6 * 60_000;
/** A running series is written at most this often. */
const REFRESH_MS = 60_000;
const TRIES = 4;
const RETRY_MS = 1_000;
/** Whoever stops has a lease to give up, and only so long before it is killed. */
const FLUSH_MS = 3_000;

/**
 * Writes events about objects. Repetitions become one event with a count; an object that causes too many different ones is cut off for a
 * while. Never throws and never waits: events are for people, and nothing may depend on them.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #series = new Map<string, Series>();
  readonly #pending: Series[] = [];
  /** 25 different events about one object at once, then one in five minutes: client-go's spam filter. */
  readonly #buckets: TokenBuckets;
  #writing: Promise<void> | undefined;
  /** Nothing has been reported since the last flush: what could not be written by then is given up. */
  #isFlushed = false;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger;
    this.#buckets = new TokenBuckets({ burst: 25, refillMs: 5 * 60_000, clock: this.#clock });
  }

  /** Reports something about an object. */
  event(object: KubeObject, input: EventInput): void {
    this.#isFlushed = false;
    const { type, reason, action, note, related } = input;
    const key = JSON.stringify([
      object.metadata.uid ?? object.metadata.name,
      type,
      reason,
      action,
      note,
      related?.metadata.uid,
    ]);
    const now = this.#clock.monotonicMs();
    const running = this.#series.get(key);
    if (running !== undefined && now - running.lastAt < SERIES_MS) {
      this.#repeat(running, now);
      return;
    }
    if (!this.#buckets.take(object.metadata.uid ?? object.metadata.name)) {
      this.#logger.debug('an event was left out: too many about this object', { reason: input.reason });
      return;
    }
    const at = this.#clock.now();
    const series: Series = {
      event: deepFreeze(this.#build(object, input, at)),
      count: 1,
      lastAt: now,
      lastObserved: at,
      pending: false,
      sentAt: 0,
      sentCount: 0,
      failed: false,
      timer: undefined,
    };
    this.#remember(key, series);
    this.#enqueue(series);
  }

  /**
   * Writes what is still held back, the last counts of series. Resolves when everything is written or given up, or when the time is over
   * (milliseconds), since nothing may wait for events for long.
   */
  async flush(limitMs = FLUSH_MS): Promise<void> {
    this.#isFlushed = true;
    for (const series of this.#series.values()) {
      if (series.timer === undefined) continue;
      series.timer.cancel();
      this.#enqueue(series);
    }
    const late = Promise.withResolvers<'late'>();
    const timer = this.#clock.setTimeout(() => late.resolve('late'), limitMs);
    try {
      while (this.#writing !== undefined) {
        if ((await Promise.race([this.#writing, late.promise])) !== 'late') continue;
        this.#logger.warn('events may be lost: they could not be written in time', { waiting: this.#pending.length });
        return;
      }
    } finally {
      timer.cancel();
    }
  }

  #repeat(series: Series, now: number): void {
    series.count += 1;
    series.lastAt = now;
    series.lastObserved = this.#clock.now();
    if (!series.pending) this.#schedule(series);
  }

  #schedule(series: Series): void {
    // The first repetition shows at once that something repeats; after that a count that is a minute old will do.
    const isFirst = series.sentCount === 1 && !series.failed;
    const waitMs = isFirst ? 0 : series.sentAt + REFRESH_MS - this.#clock.monotonicMs();
    if (waitMs <= 0) {
      this.#enqueue(series);
      return;
    }
    series.pending = true;
    series.timer = this.#clock.setTimeout(() => this.#enqueue(series), waitMs);
  }

  #remember(key: string, series: Series): void {
    this.#series.get(key)?.timer?.cancel();
    this.#series.delete(key);
    this.#series.set(key, series);
    if (this.#series.size <= MAX_SERIES) return;
    const oldest = this.#series.entries().next();
    if (oldest.done) return;
    const [oldestKey, { timer }] = oldest.value;
    timer?.cancel();
    this.#series.delete(oldestKey);
  }

  #enqueue(series: Series): void {
    series.timer = undefined;
    if (this.#pending.length >= MAX_PENDING) {
      series.pending = false;
      this.#logger.warn('an event was lost: too many wait to be written', { reason: series.event.reason });
      return;
    }
    series.pending = true;
    this.#pending.push(series);
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      await this.#write(next);
    }
    this.#writing = undefined;
  }

  async #write(series: Series): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const { count, lastObserved } = series;
      try {
        await this.#send(series, count, lastObserved);
        series.sentCount = count;
        series.failed = false;
        break;
      } catch (error) {
        const again = error instanceof KubeError && error.retryable && attempt < TRIES;
        if (!again) {
          const { reason, note, regarding } = series.event;
          series.failed = true;
          this.#logger.warn('an event could not be written', { reason, note, object: regarding.name, error });
          break;
        }
        await this.#clock.sleep(RETRY_MS * attempt);
      }
    }
    series.pending = false;
    series.sentAt = this.#clock.monotonicMs();
    if (series.sentCount === 0 || series.count === series.sentCount) return;
    if (!this.#isFlushed) this.#schedule(series);
    // What was counted while this write was under way goes with the flush; what could not be written is not tried for ever.
    else if (!series.failed) this.#enqueue(series);
  }

  async #send({ event, sentCount }: Series, count: number, lastObserved: Date): Promise<void> {
    const { client } = this.#options;
    const repeated = count > 1 ? { series: { count, lastObservedTime: rfc3339Micro(lastObserved) } } : {};
    if (sentCount === 0) {
      await client.create<KubeEvent>({ ...event, ...repeated });
      return;
    }
    const { namespace, name } = event.metadata;
    try {
      await client.patch({ resource: resources.events, namespace, name }, { type: 'merge', body: repeated });
    } catch (error) {
      // Events live for an hour; a series may go on for longer.
      if (!isNotFound(error)) throw error;
      await client.create<KubeEvent>({ ...event, ...repeated });
    }
  }

  #build(object: KubeObject, input: EventInput, at: Date): KubeEvent {
    const { controller, instance = hostname() } = this.#options;
    const { name, namespace = 'default' } = object.metadata;
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: `${name.slice(0, 200)}.${randomBytes(8).toString('hex')}`, namespace },
      eventTime: rfc3339Micro(at),
      reportingController: controller,
      reportingInstance: instance.slice(0, 128),
      type: input.type,
      reason: input.reason,
      action: input.action,
      note: shortened(input.note),
      regarding: referenceTo(object),
      ...(input.related === undefined ? {} : { related: referenceTo(input.related) }),
    };
  }
}

function referenceTo(object: KubeObject): ObjectReference {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

/** The API server refuses notes of more than 1,024 bytes. */
function shortened(note: string): string {
  if (Buffer.byteLength(note) <= NOTE_BYTES) return note;
  const cut = Buffer.from(note)
    .subarray(0, NOTE_BYTES - 3)
    .toString('utf8');
  return `${cut.replace(/\uFFFD+$/, '')}…`;
}
