import { errorFromResponse, errorFromStatus, KubeError, type Status } from './errors.ts';
import { collectionPath, queryString } from './paths.ts';
import { type Transport, transportError } from './transport.ts';
import type { KubeObject, Resource } from './types.ts';

export interface WatchOptions {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  resourceVersion?: string | undefined;
  resourceVersionMatch?: 'NotOlderThan' | undefined;
  /** Ask for the present objects first, ended by a bookmark (WatchList). Needs `resourceVersionMatch: NotOlderThan`. */
  sendInitialEvents?: boolean | undefined;
  /** When the server is to end the watch by itself, in seconds. */
  timeoutSeconds?: number | undefined;
  /** When the client gives the watch up because nothing came, in milliseconds. Default: some time after the server should have ended it. */
  idleTimeoutMs?: number | undefined;
  /** Called when the server has accepted the watch: the first event may be minutes away. */
  onOpen?: (() => void) | undefined;
}

/** One change. A bookmark's object has nothing but its resourceVersion and annotations. */
export interface WatchEvent<T extends KubeObject = KubeObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

interface WireEvent<T extends KubeObject> {
  type: WatchEvent['type'] | 'ERROR';
  object: T | Status;
}

/** The API server sends no bookmarks of a kind of which nothing has changed since it started, so silence alone means nothing. */
const OVERDUE_MS = 30_000;
const TIMEOUT_SECONDS = 600;
const HEADERS_TIMEOUT_MS = 30_000;

/**
 * Streams changes until the server ends the watch (then returns), the signal aborts (then throws its reason) or something breaks (then
 * throws a `KubeError`; `isGone` when the resourceVersion is too old).
 */
export async function* watch<T extends KubeObject>(
  transport: Transport,
  resource: Resource,
  options: WatchOptions,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>, void, void> {
  const { timeoutSeconds = TIMEOUT_SECONDS } = options;
  const { namespace, idleTimeoutMs = timeoutSeconds * 1000 + OVERDUE_MS, onOpen, ...query } = options;
  const path =
    collectionPath(resource, namespace) +
    queryString({ ...query, timeoutSeconds, watch: true, allowWatchBookmarks: true });
  const response = await transport.request(
    { method: 'GET', path, headersTimeoutMs: HEADERS_TIMEOUT_MS, bodyTimeoutMs: idleTimeoutMs },
    signal,
  );
  try {
    if (response.status !== 200) {
      throw errorFromResponse(response.status, await response.body.text(), header(response.headers['retry-after']));
    }
    onOpen?.();
    for await (const line of lines(response.body)) {
      const event = JSON.parse(line) as WireEvent<T>;
      if (event.type === 'ERROR') throw errorFromStatus(event.object as Status);
      yield event as WatchEvent<T>;
    }
  } catch (error) {
    throw error instanceof KubeError ? error : transportError(error, `watch ${path}`, signal);
  } finally {
    // Left early or failed: resets this stream only; the connection goes on.
    response.body.on('error', () => undefined).destroy();
  }
}

/** Splits a byte stream at newlines. Lines are decoded whole, so that no character is cut in two. */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  let parts: Buffer[] = [];
  for await (const bytes of chunks) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      const last = chunk.subarray(from, end);
      from = end + 1;
      const line = parts.length === 0 ? last.toString('utf8') : Buffer.concat([...parts, last]).toString('utf8');
      parts = [];
      if (line !== '') yield line;
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
  }
  // What is left has no newline: the stream was cut within an event, which the next watch will send again.
}

export function header(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
