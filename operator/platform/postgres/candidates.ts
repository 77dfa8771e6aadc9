import type { Scope } from '../core/component.ts';
import type { Member, Observed, SyncState } from './observe.ts';
import { sqlOf } from './observe.ts';
import { answers } from './verdict.ts';

/** Why the operator leaves it to Patroni. */
export function whyAside({ effective }: Scope, { members, config }: Observed): string | undefined {
  if (!effective.failover.enabled) return 'spec.failover.enabled is false: Patroni alone decides, after its ttl';
  if (effective.postgres.instances < 2 || members.length < 2) return 'there is no other member to take over';
  const paused = typeof config === 'object' && config !== null && 'pause' in config && config.pause === true;
  return paused ? 'Patroni is paused: nobody takes over until `patronictl resume`' : undefined;
}

/** Why nobody can take over from `from` without losing what was acknowledged; undefined when somebody can. */
export function whyNobodyIsSafe({ members, sync }: Observed, from: string, synchronous: boolean): string | undefined {
  const standbys = members.filter((member) => member.name !== from && isStandby(member));
  if (standbys.length === 0) return 'no standby answers';
  if (!synchronous) return undefined;
  if (sync === undefined || sync.leader !== from) return `${from} has not registered which standbys have its commits`;
  if (sync.voters.length === 0) return `${from} went on alone, so no standby has everything that was acknowledged`;
  const voting = standbys.filter(({ name }) => sync.voters.includes(name)).map(({ name }) => name);
  // One that is elected, and so many that confirm that they have no more than it.
  if (voting.length > sync.quorum) return undefined;
  const absent = sync.voters.filter((name) => !voting.includes(name)).join(', ');
  return `what was acknowledged may be on ${absent} alone, which does not answer`;
}

/** The standbys without which nothing can be acknowledged; undefined unless all of them answer. */
export function votersOf(members: readonly Member[], sync: SyncState): readonly Member[] | undefined {
  const voters = sync.voters.map((name) => members.find((member) => member.name === name && isStandby(member)));
  return voters.length > 0 && voters.every((voter) => voter !== undefined) ? voters : undefined;
}

export function isStandby(member: Member): boolean {
  return answers(member) && sqlOf(member)?.inRecovery === true && member.pod.metadata.deletionTimestamp === undefined;
}
