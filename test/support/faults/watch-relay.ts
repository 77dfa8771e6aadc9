import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '../../../operator/kube/types.ts';
import type { WatchFault } from './plan.ts';

interface WireEvent {
  readonly type: string;
  readonly object: KubeObject;
}

/** Where a relayed watch is written to. */
export interface WatchSink {
  write(text: string): void;
  /** Resets the stream. */
  cut(): void;
  end(): void;
  readonly closed: boolean;
}

const EXPIRED = {
  type: 'ERROR',
  object: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Expired', code: 410, message: 'too old' },
};

/** Passes a watch on, line by line, with what is to go wrong. Returns when either side has ended. */
export async function relayWatch(source: AsyncIterable<string>, sink: WatchSink, fault: WatchFault): Promise<void> {
  const { delayMs = 0, merge = false, duplicate = false, cutAt, dropFrom } = fault;
  let held: WireEvent[] = [];
  let flushing: Promise<void> | undefined;
  let sent = 0;
  const flush = async (): Promise<void> => {
    await sleep(delayMs);
    const events = merge ? merged(held) : held;
    held = [];
    flushing = undefined;
    for (const event of events) {
      if (sink.closed) return;
      const line = `${JSON.stringify(event)}\n`;
      sent += 1;
      if (sent === cutAt) {
        sink.write(line.slice(0, Math.ceil(line.length / 2)));
        sink.cut();
        return;
      }
      if (dropFrom !== undefined && sent >= dropFrom && event.type !== 'BOOKMARK') {
        await sleep(delayMs);
        sink.write(`${JSON.stringify(EXPIRED)}\n`);
        sink.end();
        return;
      }
      sink.write(duplicate && event.type !== 'BOOKMARK' ? line + line : line);
    }
  };
  for await (const line of source) {
    if (sink.closed) return;
    held.push(JSON.parse(line) as WireEvent);
    flushing ??= flush();
  }
  await flushing;
  if (!sink.closed) sink.end();
}

/**
 * What is left when changes of the same object become one, as a cache sees them that looks only now and then: the newest state at the place
 * of the newest change; an object that came and went in between was never there, and one that was made anew has changed.
 */
export function merged(events: readonly WireEvent[]): WireEvent[] {
  const newest = new Map<string, WireEvent>();
  events.forEach((event, index) => {
    const { name, namespace = '' } = event.object.metadata;
    const key = event.type === 'BOOKMARK' || event.type === 'ERROR' ? `${index}` : `${namespace}/${name}`;
    const before = newest.get(key);
    newest.delete(key);
    const type = typeOf(before?.type, event.type);
    if (type !== undefined) newest.set(key, { ...event, type });
  });
  return [...newest.values()];
}

function typeOf(before: string | undefined, after: string): string | undefined {
  if (before === 'ADDED') return after === 'DELETED' ? undefined : 'ADDED';
  if (before === 'DELETED') return 'MODIFIED';
  return after;
}
