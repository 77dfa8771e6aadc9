import type { FailoverStatus } from '../../core/platform.ts';

/** What is seen of the primaries now. */
export interface SeenPrimaries {
  /** By shard, the pod that is the primary and serves; in mode sentinel there is the one shard 0. */
  readonly serving: ReadonlyMap<number, string>;
  /** Pods that are known not to serve, each with what is wrong with it. */
  readonly failed: ReadonlyMap<string, string>;
  /** Shards that exist, have somebody to take over, and something to serve. */
  readonly shards: ReadonlySet<number>;
  /** Shards in which the operator has told a replica to take over. */
  readonly ordered: ReadonlySet<number>;
  /** Everything is served, and every replica is in sync. */
  readonly whole: boolean;
}

/** What the status said before. */
export interface FailoverHistory {
  /** The last known primary of each shard, by its pod. */
  readonly primaries: ReadonlyMap<number, string>;
  readonly last: FailoverStatus | undefined;
  /** The shard of a pod. */
  readonly shardOf: (pod: string) => number;
}

const COMPONENT = 'redis';
const IN_PROGRESS = 'InProgress';

/**
 * How far a failover is. `Electing`: a primary is lost; `Ordered`: the operator has told a replica to take over; `Serving`: every lost
 * primary has a successor, or is back; `Redundant`: every replica is in sync again.
 */
type Step = 'Electing' | 'Ordered' | 'Serving' | 'Redundant';

/**
 * Pure: the record of the failover that is under way or was the last. Primaries that are lost at the same time are one failover. A change of the primary while the
 * one before lives is a hand-over, and none. It is made from the status and from what is seen alone.
 */
export function failoverRecord(
  { primaries, last, shardOf }: FailoverHistory,
  seen: SeenPrimaries,
  now: Date,
): FailoverStatus | undefined {
  const before = last?.outcome === IN_PROGRESS ? last : undefined;
  const lost = [...primaries].filter(
    ([shard, pod]) => seen.shards.has(shard) && seen.serving.get(shard) !== pod && seen.failed.has(pod),
  );
  const record = before === undefined ? begun(lost, seen, now) : extended(before, lost);
  if (record === undefined) return restored(last, seen, now);
  const shards = namesIn(record.from).map(shardOf);
  const isOrdered = record.step === 'Ordered' || shards.some((shard) => seen.ordered.has(shard));
  const step: Step = isOrdered ? 'Ordered' : 'Electing';
  const missing = shards.filter((shard) => seen.shards.has(shard) && !seen.serving.has(shard));
  if (missing.length > 0) return { ...record, step };
  return closed({ ...record, step }, shards, seen, now);
}

/** The primaries to remember: who serves, or was the last who did. */
export function primariesNow(
  before: ReadonlyMap<number, string>,
  { serving, shards }: SeenPrimaries,
): ReadonlyMap<number, string> {
  const kept = [...before].filter(([shard]) => shards.has(shard));
  return new Map([...new Map([...kept, ...serving])].toSorted(([a], [b]) => a - b));
}

function begun(lost: readonly [number, string][], { failed }: SeenPrimaries, now: Date): FailoverStatus | undefined {
  const [first] = lost;
  if (first === undefined) return undefined;
  return {
    component: COMPONENT,
    from: lost.map(([, pod]) => pod).join(', '),
    reason: failed.get(first[1]) ?? 'PrimaryLost',
    detectedAt: now.toISOString(),
    outcome: IN_PROGRESS,
  };
}

function extended(record: FailoverStatus, lost: readonly [number, string][]): FailoverStatus {
  const from = new Set([...namesIn(record.from), ...lost.map(([, pod]) => pod)]);
  return { ...record, from: [...from].join(', ') };
}

function closed(
  record: FailoverStatus,
  shards: readonly number[],
  { serving }: SeenPrimaries,
  now: Date,
): FailoverStatus {
  const heirs = shards.flatMap((shard) => serving.get(shard) ?? []);
  const hasMoved = heirs.some((pod) => !namesIn(record.from).includes(pod));
  const seconds = (now.getTime() - new Date(record.detectedAt ?? now).getTime()) / 1000;
  const { message: _, ...rest } = record;
  const by = record.step === 'Ordered' ? 'the operator told the replica to take over' : 'Redis elected by itself';
  return {
    ...rest,
    to: heirs.join(', '),
    servingAt: now.toISOString(),
    rtoSeconds: Math.max(0, Math.round(seconds * 10) / 10),
    step: 'Serving' satisfies Step,
    ...(hasMoved ? { message: by } : {}),
    outcome: hasMoved ? 'Succeeded' : 'Recovered',
  };
}

function restored(last: FailoverStatus | undefined, { whole }: SeenPrimaries, now: Date): FailoverStatus | undefined {
  if (last?.step !== 'Serving' || !whole) return last;
  return { ...last, step: 'Redundant' satisfies Step, redundantAt: now.toISOString() };
}

function namesIn(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(', ');
}
