import type { SentinelAction } from './actions.ts';
import type { Member, SentinelObserved } from './observe.ts';
import { isInSync, type Reading, target } from './reading.ts';

export interface Rollout {
  /** Pods made from an earlier template, by name. */
  readonly outdated: readonly string[];
  readonly remove?: Member<unknown>;
  readonly actions: readonly SentinelAction[];
}

/**
 * One pod at a time: one that does not work at once, then Sentinels, replicas, and last the primary, after the Sentinels have made another one.
 * @param whole every pod answers, all replicas are in sync, and there is nothing to repair.
 */
export function rollout({ servers, sentinels }: SentinelObserved, reading: Reading, whole: boolean): Rollout {
  const pods = [...sentinels, ...servers];
  const outdated = pods.filter((pod) => pod.outdated && !pod.deleting);
  const none = { outdated: outdated.map(({ name }) => name), actions: [] };
  if (outdated.length === 0 || pods.some(({ deleting }) => deleting)) return none;
  const broken = outdated.find(
    (pod) => pod.notReady !== undefined && (pod.answer as { kind?: string })?.kind !== 'view',
  );
  if (broken !== undefined) return { ...none, remove: broken };
  if (!whole) return none;
  const next = outdated.find(({ name }) => name !== reading.primary?.name);
  if (next !== undefined) return { ...none, remove: next };
  return servers.length > 1 ? { ...none, actions: handOver(reading) } : none;
}

/** Lets the Sentinels make a replica the primary, while the one that there is still lives. */
export function handOver({ primary, servers, sentinels, isFailingOver, isAgreed }: Reading): SentinelAction[] {
  if (primary === undefined || isFailingOver || !isAgreed) return [];
  if (!servers.some((node) => !node.deleting && isInSync(node, primary))) return [];
  const sentinel = sentinels.find(({ deleting, view }) => !deleting && view.watched !== undefined);
  return sentinel === undefined ? [] : [{ type: 'sentinel.failover', node: target(sentinel) }];
}
