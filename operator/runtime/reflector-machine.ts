import type { List, ListOptions, WatchEvent, WatchOptions } from '../kube/client.ts';
import { isGone, isInvalid, isResourceVersionTooLarge, KubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/types.ts';

/**
 * How a cache is kept like the API server's collection, as a state machine without I/O: `step` takes a state and what just happened and
 * gives the next state, what changed and what to do next.
 *
 *   initial → streaming ⇄ waiting     the present objects as a stream that ends with a bookmark (WatchList)
 *           → listing   ⇄ waiting     the present objects in pages, where the server has no WatchList
 *           → watching  ⇄ waiting     every change from then on
 *
 * A version that is too old (410) leads from anywhere back to the start. Semantics are those of client-go's reflector.
 */
type Phase<T extends KubeObject> =
  /** Nothing was asked yet. */
  | { readonly name: 'initial' }
  /** A WatchList is open; `received` is what it sent, and replaces the cache when the bookmark that ends it comes. */
  | { readonly name: 'streaming'; readonly received: Map<string, T> }
  /** Pages are read; `received` replaces the cache after the last one. */
  | { readonly name: 'listing'; readonly received: T[]; readonly options: ListOptions }
  /** The cache follows the server. `heard` tells whether this watch has sent anything, `openedAt` when it was asked for. */
  | { readonly name: 'watching'; heard: boolean; readonly openedAt: number }
  /** Something failed; after the wait everything starts again, or only the watch. */
  | { readonly name: 'waiting'; readonly next: 'start' | 'watch' };

export interface ReflectorState<T extends KubeObject> {
  phase: Phase<T>;
  /** The newest version that the cache is known to reflect; empty before there is one and after it became too old. */
  resourceVersion: string;
  /** A list must be the newest there is: the last version was too old, so an old answer would be a step back. */
  mustBeNewest: boolean;
  /** Whether the server knows WatchList; learnt by asking. */
  watchList: boolean;
  /** Failures in a row, for the backoff. */
  failures: number;
  lastFailureAt: number;
  /** Times in a row that the version was too old. */
  gone: number;
}

export type Input<T extends KubeObject> =
  | { readonly type: 'start' }
  | { readonly type: 'event'; readonly event: WatchEvent<T> }
  | { readonly type: 'page'; readonly list: List<T> }
  /** The server ended the stream without an error. */
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly failure: Failure }
  /** The wait is over. */
  | { readonly type: 'elapsed' };

export interface Failure {
  readonly kind: 'gone' | 'too-large' | 'invalid' | 'other';
  readonly retryAfterMs: number;
}

/** A change of the cache. */
export type CacheChange<T extends KubeObject> =
  | { readonly type: 'replace'; readonly objects: Iterable<T> }
  | { readonly type: 'put'; readonly object: T }
  | { readonly type: 'remove'; readonly object: T };

/** What to do next; without one, go on reading the stream that is open. */
export type Command =
  | { readonly type: 'watch'; readonly options: WatchOptions }
  | { readonly type: 'list'; readonly options: ListOptions }
  | { readonly type: 'wait'; readonly ms: number };

export interface Step<T extends KubeObject> {
  readonly change?: CacheChange<T>;
  readonly command?: Command;
}

export interface Surroundings {
  readonly nowMs: number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

const PAGE_SIZE = 500;
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';
const BACKOFF_MS = { first: 800, most: 30_000, resetAfter: 120_000 };
const WATCH_SECONDS = { least: 300, most: 600 };
/** A watch that ends sooner and in silence counts as a failure, or a broken server would be asked without a pause. */
const SHORT_WATCH_MS = 1_000;

export function initialState<T extends KubeObject>(): ReflectorState<T> {
  return {
    phase: { name: 'initial' },
    resourceVersion: '',
    mustBeNewest: false,
    watchList: true,
    failures: 0,
    lastFailureAt: Number.NEGATIVE_INFINITY,
    gone: 0,
  };
}

/** Sorts an error by what follows from it. */
export function failureOf(error: unknown): Failure {
  const retryAfterMs = error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0;
  if (isGone(error)) return { kind: 'gone', retryAfterMs };
  if (isResourceVersionTooLarge(error)) return { kind: 'too-large', retryAfterMs };
  if (isInvalid(error) || (error instanceof KubeError && error.status === 400))
    return { kind: 'invalid', retryAfterMs };
  return { kind: 'other', retryAfterMs };
}

/** Names an object within its collection. */
export function keyOf(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** Advances the state (in place) by one input. Inputs that do not fit the phase are late and change nothing. */
export function step<T extends KubeObject>(state: ReflectorState<T>, input: Input<T>, around: Surroundings): Step<T> {
  switch (input.type) {
    case 'start':
      return { command: start(state, around) };
    case 'event':
      return onEvent(state, input.event);
    case 'page':
      return onPage(state, input.list, around);
    case 'closed':
      return { command: onClosed(state, around) };
    case 'failed':
      return { command: onFailure(state, input.failure, around) };
    case 'elapsed':
      if (state.phase.name !== 'waiting') return {};
      return { command: state.phase.next === 'watch' ? watchOn(state, around) : start(state, around) };
  }
}

function start<T extends KubeObject>(state: ReflectorState<T>, around: Surroundings): Command {
  if (state.watchList) {
    state.phase = { name: 'streaming', received: new Map() };
    return {
      type: 'watch',
      options: {
        sendInitialEvents: true,
        resourceVersionMatch: 'NotOlderThan',
        resourceVersion: state.resourceVersion,
        timeoutSeconds: lifetime(around),
      },
    };
  }
  const version = state.mustBeNewest ? '' : state.resourceVersion || '0';
  const options: ListOptions = {
    limit: PAGE_SIZE,
    ...(version === '' ? {} : { resourceVersion: version, resourceVersionMatch: 'NotOlderThan' }),
  };
  state.phase = { name: 'listing', received: [], options };
  return { type: 'list', options };
}

function watchOn<T extends KubeObject>(state: ReflectorState<T>, around: Surroundings): Command {
  state.phase = { name: 'watching', heard: false, openedAt: around.nowMs };
  return {
    type: 'watch',
    options: { resourceVersion: state.resourceVersion, timeoutSeconds: lifetime(around) },
  };
}

function onEvent<T extends KubeObject>(state: ReflectorState<T>, event: WatchEvent<T>): Step<T> {
  if (state.phase.name === 'streaming') return onInitialEvent(state, state.phase.received, event);
  if (state.phase.name !== 'watching') return {};
  state.phase.heard = true;
  return follow(state, event);
}

function onInitialEvent<T extends KubeObject>(
  state: ReflectorState<T>,
  received: Map<string, T>,
  event: WatchEvent<T>,
): Step<T> {
  const { type, object } = event;
  if (type === 'DELETED') received.delete(keyOf(object));
  else if (type !== 'BOOKMARK') received.set(keyOf(object), object);
  else if (object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true') {
    // The same stream goes on with the changes.
    state.phase = { name: 'watching', heard: true, openedAt: 0 };
    reflected(state, object.metadata.resourceVersion);
    return { change: { type: 'replace', objects: received.values() } };
  }
  return {};
}

function follow<T extends KubeObject>(state: ReflectorState<T>, { type, object }: WatchEvent<T>): Step<T> {
  state.resourceVersion = object.metadata.resourceVersion ?? state.resourceVersion;
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { change: { type: 'put', object } };
    case 'DELETED':
      return { change: { type: 'remove', object } };
    case 'BOOKMARK':
      return {};
  }
}

function onPage<T extends KubeObject>(state: ReflectorState<T>, list: List<T>, around: Surroundings): Step<T> {
  if (state.phase.name !== 'listing') return {};
  const { received } = state.phase;
  for (const item of list.items) received.push(item);
  if (list.continue !== undefined) {
    // A continue token says which version it belongs to; naming one beside it is refused.
    return { command: { type: 'list', options: { limit: PAGE_SIZE, continue: list.continue } } };
  }
  reflected(state, list.resourceVersion);
  return { change: { type: 'replace', objects: received }, command: watchOn(state, around) };
}

function reflected<T extends KubeObject>(state: ReflectorState<T>, resourceVersion: string | undefined): void {
  state.resourceVersion = resourceVersion ?? '';
  state.mustBeNewest = false;
  state.gone = 0;
}

function onClosed<T extends KubeObject>(state: ReflectorState<T>, around: Surroundings): Command {
  const { phase } = state;
  if (phase.name === 'watching' && (phase.heard || around.nowMs - phase.openedAt >= SHORT_WATCH_MS)) {
    return watchOn(state, around);
  }
  return onFailure(state, { kind: 'other', retryAfterMs: 0 }, around);
}

function onFailure<T extends KubeObject>(state: ReflectorState<T>, failure: Failure, around: Surroundings): Command {
  const { phase } = state;
  if (failure.kind === 'gone' || failure.kind === 'too-large') {
    state.resourceVersion = '';
    state.mustBeNewest = true;
    state.gone += 1;
    // Once is ordinary and mended at once; again means that the server cannot help now.
    return state.gone === 1 ? start(state, around) : wait(state, 'start', failure, around);
  }
  if (failure.kind === 'invalid' && phase.name === 'streaming') {
    state.watchList = false;
    return start(state, around);
  }
  return wait(state, phase.name === 'watching' ? 'watch' : 'start', failure, around);
}

function wait<T extends KubeObject>(
  state: ReflectorState<T>,
  next: 'start' | 'watch',
  failure: Failure,
  { nowMs, random }: Surroundings,
): Command {
  if (nowMs - state.lastFailureAt > BACKOFF_MS.resetAfter) state.failures = 0;
  const backoff = Math.min(BACKOFF_MS.first * 2 ** state.failures, BACKOFF_MS.most);
  state.failures += 1;
  state.lastFailureAt = nowMs;
  state.phase = { name: 'waiting', next };
  // Spread, so that not everybody comes back at the same moment after a server was away.
  return { type: 'wait', ms: Math.max(backoff * (1 + random()), failure.retryAfterMs) };
}

/** How long the server is to keep a watch, in seconds: different for each, so that they do not all end together. */
function lifetime({ random }: Surroundings): number {
  return Math.round(WATCH_SECONDS.least + random() * (WATCH_SECONDS.most - WATCH_SECONDS.least));
}
