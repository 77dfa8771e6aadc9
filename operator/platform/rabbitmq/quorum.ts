import type { Queue } from './management.ts';

/** Nodes that run and without any one of which a quorum queue would have no majority, by name. */
export function criticalNodes(queues: readonly Pick<Queue, 'members' | 'online'>[]): string[] {
  const critical = new Set<string>();
  for (const { members, online } of queues) {
    const majority = Math.floor(members.length / 2) + 1;
    if (members.length > 0 && online.length <= majority) for (const node of online) critical.add(node);
  }
  return [...critical].toSorted();
}
