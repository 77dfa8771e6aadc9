import type { Connection } from './connection.ts';
import { errorFromResponse, isNotFound, type KubeError } from './errors.ts';
import { InFlight } from './in-flight.ts';
import { collectionPath, objectPath, type Query, queryString } from './paths.ts';
import { resourceOf } from './resources.ts';
import { TimeLimit } from './time-limit.ts';
import { Transport, type TransportOptions, type TransportResponse, transportError } from './transport.ts';
import type { KubeObject, ObjectRef, Resource } from './types.ts';
import { once, warningsOf } from './warnings.ts';
import { header, type WatchEvent, type WatchOptions, watch } from './watch.ts';

export type { WatchEvent, WatchOptions } from './watch.ts';

/**
 * Called before every request that writes; throws when writing is not allowed now. What it returns, if anything, is for how many
 * milliseconds the permission holds: the request is given up by then.
 */
export type Gate = () => number | undefined;

export interface KubeClientOptions extends TransportOptions {
  /** How long one call may take in all, waits for a busy server included, in milliseconds. */
  timeoutMs?: number;
  gate?: Gate | undefined;
  /** Receives what the server warns of (deprecated versions, unknown fields), once for each text. */
  onWarning?: (text: string) => void;
  /** How many requests, watches apart, are on their way at once at most; default 64. The others wait, within the time of their calls. */
  maxInFlight?: number;
}

export interface ListOptions {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  limit?: number | undefined;
  continue?: string | undefined;
  resourceVersion?: string | undefined;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
}

export interface List<T> {
  readonly items: T[];
  readonly resourceVersion: string;
  readonly continue?: string;
}

export interface WriteOptions {
  fieldManager?: string | undefined;
  dryRun?: boolean | undefined;
}

export interface ApplyOptions extends WriteOptions {
  fieldManager: string;
  /** Take fields over from other managers instead of failing with a conflict. */
  force?: boolean | undefined;
  subresource?: string | undefined;
}

export interface PatchOptions extends WriteOptions {
  type: 'merge' | 'json';
  body: unknown;
  subresource?: string | undefined;
}

export interface UpdateOptions extends WriteOptions {
  subresource?: string | undefined;
}

export interface DeleteOptions {
  /** Delete only the object with this uid: 409 for another one of the same name. */
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  gracePeriodSeconds?: number | undefined;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
  dryRun?: boolean | undefined;
}

interface Call {
  method: string;
  path: string;
  body?: unknown;
  contentType?: string;
  mutates?: boolean;
}

const TIMEOUT_MS = 10_000;
const MAX_IN_FLIGHT = 64;
const patchTypes = { merge: 'application/merge-patch+json', json: 'application/json-patch+json' } as const;

/**
 * Speaks to the Kubernetes API in plain JSON. Every call takes a bounded time and throws a `KubeError` when it does not succeed; a call
 * that the server refuses because it is busy (429, or 503 with Retry-After) is repeated within that time, as it was not carried out.
 */
export class KubeClient {
  readonly #transport: Transport;
  readonly #timeoutMs: number;
  readonly #gate: Gate | undefined;
  readonly #onWarning: (text: string) => void;
  readonly #maxInFlight: number;
  readonly #inFlight: InFlight;

  constructor(connection: Connection | Transport, options: KubeClientOptions = {}) {
    this.#transport = connection instanceof Transport ? connection : new Transport(connection, options);
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#gate = options.gate;
    this.#maxInFlight = options.maxInFlight ?? MAX_IN_FLIGHT;
    this.#inFlight = new InFlight(this.#maxInFlight);
    this.#onWarning = options.onWarning === undefined ? () => undefined : once(options.onWarning);
  }

  /**
   * The same client over the same connections, whose writes ask the gate first. Its requests are counted by themselves, so that a lease can be
   * renewed through this one however busy that one is.
   */
  gated(gate: Gate): KubeClient {
    const [timeoutMs, maxInFlight, onWarning] = [this.#timeoutMs, this.#maxInFlight, this.#onWarning];
    return new KubeClient(this.#transport, { timeoutMs, maxInFlight, gate, onWarning });
  }

  /** How many TCP connections are open now. */
  get openConnections(): number {
    return this.#transport.openConnections;
  }

  /** Ends every connection; calls under way fail. */
  async close(): Promise<void> {
    await this.#transport.close();
  }

  /** Reads one object; undefined when there is none. */
  async get<T extends KubeObject>(ref: ObjectRef, signal?: AbortSignal): Promise<T | undefined> {
    return this.#orAbsent(this.#json<T>({ method: 'GET', path: objectPath(ref) }, signal));
  }

  /** Reads one page, or everything when no `limit` is given. */
  async list<T extends KubeObject>(
    resource: Resource,
    options: ListOptions = {},
    signal?: AbortSignal,
  ): Promise<List<T>> {
    const { namespace, ...query } = options;
    const path = collectionPath(resource, namespace) + queryString(query);
    const list = await this.#json<{ metadata?: { resourceVersion?: string; continue?: string }; items?: T[] | null }>(
      { method: 'GET', path },
      signal,
    );
    const items = list.items ?? [];
    for (const item of items) {
      item.apiVersion ??= resource.apiVersion;
      item.kind ??= resource.kind;
    }
    const next = list.metadata?.continue;
    return { items, resourceVersion: list.metadata?.resourceVersion ?? '', ...(next ? { continue: next } : {}) };
  }

  async create<T extends KubeObject>(object: T, options: WriteOptions = {}, signal?: AbortSignal): Promise<T> {
    const path = collectionPath(resourceOf(object), namespaceOf(object)) + queryString(writeQuery(options));
    return this.#json<T>({ method: 'POST', path, body: object, mutates: true }, signal);
  }

  /** Server-side apply: the object holds every field that this manager wants and no other. */
  async apply<T extends KubeObject>(object: T, options: ApplyOptions, signal?: AbortSignal): Promise<T> {
    const { force, subresource } = options;
    const path = objectPath(refOf(object), subresource) + queryString({ ...writeQuery(options), force });
    const contentType = 'application/apply-patch+yaml';
    return this.#json<T>({ method: 'PATCH', path, body: object, contentType, mutates: true }, signal);
  }

  async patch<T extends KubeObject>(ref: ObjectRef, options: PatchOptions, signal?: AbortSignal): Promise<T> {
    const path = objectPath(ref, options.subresource) + queryString(writeQuery(options));
    const contentType = patchTypes[options.type];
    return this.#json<T>({ method: 'PATCH', path, body: options.body, contentType, mutates: true }, signal);
  }

  /** Replaces the whole object; with its resourceVersion only if nobody else wrote since. */
  async update<T extends KubeObject>(object: T, options: UpdateOptions = {}, signal?: AbortSignal): Promise<T> {
    const path = objectPath(refOf(object), options.subresource) + queryString(writeQuery(options));
    return this.#json<T>({ method: 'PUT', path, body: object, mutates: true }, signal);
  }

  /** Replaces the status, and nothing but the status. */
  async replaceStatus<T extends KubeObject>(object: T, options: WriteOptions = {}, signal?: AbortSignal): Promise<T> {
    return this.update(object, { ...options, subresource: 'status' }, signal);
  }

  /** Asks for deletion; false when there was nothing to delete. */
  async delete(ref: ObjectRef, options: DeleteOptions = {}, signal?: AbortSignal): Promise<boolean> {
    const { uid, resourceVersion, dryRun, ...rest } = options;
    const preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
    const body = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions,
      ...rest,
      ...(dryRun ? { dryRun: ['All'] } : {}),
    };
    const call = { method: 'DELETE', path: objectPath(ref), body, mutates: true };
    return (await this.#orAbsent(this.#json<object>(call, signal))) !== undefined;
  }

  /** Streams changes; see `watch` in watch.ts for how it ends. */
  watch<T extends KubeObject>(
    resource: Resource,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>> {
    return watch<T>(this.#transport, resource, options, signal);
  }

  /** Any other request, for example `GET /readyz`: the answer's text. */
  async raw(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<string> {
    const mutates = method !== 'GET' && method !== 'HEAD';
    return this.#text({ method, path, body, mutates }, signal);
  }

  async #json<T>(call: Call, signal: AbortSignal | undefined): Promise<T> {
    return JSON.parse(await this.#text(call, signal)) as T;
  }

  async #orAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
    try {
      return await answer;
    } catch (error) {
      // Without a name it is the kind itself that the server does not have, which is no answer to the question.
      if (isNotFound(error) && error.details?.name !== undefined) return undefined;
      throw error;
    }
  }

  async #text(call: Call, signal: AbortSignal | undefined): Promise<string> {
    signal?.throwIfAborted();
    using limit = new TimeLimit(this.#timeoutMs, `${call.method} ${call.path}`, signal);
    for (;;) {
      const { response, text } = await this.#answer(call, limit);
      for (const warning of warningsOf(response)) this.#onWarning(warning);
      if (response.status < 400) return text;
      const error = errorFromResponse(response.status, text, header(response.headers['retry-after']));
      const waitMs = busyForMs(error);
      if (waitMs === undefined || waitMs >= limit.remainingMs) throw error;
      await limit.sleep(waitMs);
    }
  }

  /** The gate is asked when the request's turn has come, for it may have closed meanwhile. */
  async #answer(call: Call, limit: TimeLimit): Promise<{ response: TransportResponse; text: string }> {
    const leave = await this.#inFlight.enter(limit.signal);
    try {
      const allowedMs = call.mutates ? this.#gate?.() : undefined;
      if (allowedMs !== undefined) limit.shorten(allowedMs);
      const response = await this.#send(call, limit.signal);
      return { response, text: await readText(response, call, limit.signal) };
    } finally {
      leave();
    }
  }

  #send(call: Call, signal: AbortSignal): Promise<TransportResponse> {
    const { method, path, body, contentType = 'application/json' } = call;
    return this.#transport.request(
      {
        method,
        path,
        headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': contentType }) },
        body: body === undefined ? undefined : JSON.stringify(body),
        headersTimeoutMs: this.#timeoutMs,
        bodyTimeoutMs: this.#timeoutMs,
      },
      signal,
    );
  }
}

async function readText(response: TransportResponse, call: Call, signal: AbortSignal): Promise<string> {
  try {
    return await response.body.text();
  } catch (error) {
    throw transportError(error, `${call.method} ${call.path}`, signal);
  }
}

/** How long a busy server asked to wait before the same request; undefined when it is not about being busy. */
function busyForMs(error: KubeError): number | undefined {
  if (error.status === 429) return error.retryAfterMs ?? 1_000;
  return error.status === 503 ? error.retryAfterMs : undefined;
}

function writeQuery(options: WriteOptions): Query {
  return { fieldManager: options.fieldManager, dryRun: options.dryRun ? 'All' : undefined };
}

function namespaceOf(object: KubeObject): string | undefined {
  const resource = resourceOf(object);
  if (resource.namespaced && !object.metadata.namespace) {
    throw new TypeError(`${object.kind} ${object.metadata.name} has no namespace`);
  }
  return object.metadata.namespace;
}

/** The reference to an object of a known kind. */
export function refOf(object: KubeObject): ObjectRef {
  return { resource: resourceOf(object), namespace: object.metadata.namespace, name: object.metadata.name };
}
