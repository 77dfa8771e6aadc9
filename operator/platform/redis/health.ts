import type { ConditionPlan } from '../core/component.ts';
import type { PlatformStatus } from '../core/platform.ts';
import type { RedisAction } from './actions.ts';
import { type ExpectedPod, whyAbsent } from './expected.ts';
import { countSlots, formatSlots, missingSlots, overlaps, SLOTS } from './slots.ts';
import { isBlank, isInSync, isLeftOver, ownSlots, slotsOf, type Topology } from './topology.ts';

export interface Health {
  readonly condition: ConditionPlan;
  readonly status: NonNullable<PlatformStatus['redis']>;
  /** Every slot has a primary that answers and sees the majority. */
  readonly served: boolean;
  /** Every pod answers, every slot is served, every replica is in sync. */
  readonly whole: boolean;
}

interface Findings {
  readonly expected: readonly ExpectedPod[];
  readonly topology: Topology;
  /** The slots that a primary which answers serves. */
  readonly unserved: string;
  readonly claimed: number;
  /** Pods that do not answer, in words. */
  readonly absent: readonly string[];
  /** Replicas that are none yet, in words. */
  readonly lagging: readonly string[];
  /** Slots that were never anybody's are being given out. */
  readonly founding: boolean;
  /** Slots that were lost with their node are being given to others: by what is said of it, to whom. */
  readonly adopting: string | undefined;
}

export function readHealth(
  expected: readonly ExpectedPod[],
  topology: Topology,
  repair: readonly RedisAction[],
): Health {
  const founding = repair.some((action) => action.type === 'redis.add-slots');
  const adoption = repair.find((action) => action.type === 'redis.adopt-slots');
  const findings = {
    ...find(expected, topology),
    founding,
    adopting: adoption === undefined ? undefined : heirs(adoption.evenEmpty),
  };
  const condition = CHECKS.reduce<ConditionPlan | undefined>((found, check) => found ?? check(findings), undefined);
  const served = findings.unserved === '';
  return {
    condition: condition ?? healthy(findings),
    status: {
      mode: 'cluster',
      state: stateOf(findings),
      masters: topology.primaries.size,
      replicas: topology.known.filter((node) => followsItsPrimary(node.name, topology)).length,
      slotsAssigned: findings.claimed,
    },
    served,
    whole: served && findings.absent.length === 0 && findings.lagging.length === 0,
  };
}

function heirs(evenEmpty: boolean): string {
  const keys = 'each is given to the primary that has keys of it';
  return evenEmpty ? keys : `${keys}; of a slot without keys, ${HELP}`;
}

const HELP = 'see docs/components/redis.md for what to do';

/** In this order; the first that has something to say is the condition. */
const CHECKS: readonly ((findings: Findings) => ConditionPlan | undefined)[] = [
  notObserved,
  waitingForPods,
  forming,
  uncovered,
  converging,
  replicasMissing,
];

function find(expected: readonly ExpectedPod[], topology: Topology): Omit<Findings, 'founding' | 'adopting'> {
  const serving = topology.known.filter((node) => node.view.clusterState === 'ok');
  return {
    expected,
    topology,
    unserved: formatSlots(missingSlots(serving.flatMap((node) => slotsOf(topology, node)))),
    claimed: countSlots(topology.claims.flatMap((claim) => claim.slots)),
    absent: expected.flatMap((pod) => whyAbsent(pod) ?? []),
    lagging: expected.flatMap((pod) => whyLagging(pod, topology) ?? []),
  };
}

function notObserved({ expected }: Findings): ConditionPlan | undefined {
  if (!expected.every(({ pod }) => pod !== undefined && pod.notReady === undefined && pod.answer === undefined))
    return undefined;
  return condition('Unknown', 'NotObserved', 'waiting for the first answer of the Redis pods');
}

function waitingForPods({ topology, claimed, absent }: Findings): ConditionPlan | undefined {
  if (absent.length === 0 || (claimed > 0 && topology.known.length > 0)) return undefined;
  return condition('False', 'WaitingForPods', absent.join('; '), { progressing: true });
}

function forming({ founding, expected }: Findings): ConditionPlan | undefined {
  if (!founding) return undefined;
  return condition('False', 'Forming', `${expected.length} pods answer; their cluster is being formed`, {
    progressing: true,
  });
}

function uncovered({ unserved, expected, topology, absent }: Findings): ConditionPlan | undefined {
  if (unserved === '') return undefined;
  const shards = [...new Set(expected.map(({ shard }) => shard))].filter((shard) => !topology.primaries.has(shard));
  if (shards.length === 0) return undefined;
  const what = `slots ${unserved} are not served: no primary answers in shard ${shards.join(', ')}`;
  const members = topology.known.filter((node) => shards.includes(node.shard));
  const why = members.every(isBlank)
    ? `its pods came back without their data; ${HELP}`
    : 'its replica has not been elected yet';
  return condition('False', 'SlotsUncovered', `${what}; ${absent.length === 0 ? why : absent.join('; ')}`);
}

function converging({ unserved, topology, absent, adopting }: Findings): ConditionPlan | undefined {
  if (unserved === '') return undefined;
  const failing = [...topology.primaries.values()].filter((node) => node.view.clusterState !== 'ok');
  if (failing.length === 0) {
    const why = absent.length > 0 ? absent.join('; ') : (adopting ?? HELP);
    return condition('False', 'SlotsUncovered', `slots ${unserved} belong to no node that answers; ${why}`);
  }
  const what = `pods ${failing.map((node) => node.name).join(', ')} do not see a majority of the primaries yet`;
  return condition('False', 'Converging', [what, ...absent].join('; '), { progressing: true });
}

function replicasMissing({ absent, lagging, expected, topology }: Findings): ConditionPlan | undefined {
  const missing = [...absent, ...lagging];
  if (missing.length === 0) return undefined;
  // A shard that has no slots yet is missed by nobody.
  const joining = expected.filter(({ shard }) => topology.formed && !topology.primaries.has(shard));
  const isOfJoining = joining.flatMap((pod) => [whyAbsent(pod), whyLagging(pod, topology)]);
  if (missing.every((what) => isOfJoining.includes(what)))
    return condition('True', 'AddingShards', `all slots are served; of the shards to be added, ${missing.join('; ')}`, {
      progressing: true,
    });
  return condition(
    'True',
    'ReplicasMissing',
    `all slots are served, with fewer replicas than wanted: ${missing.join('; ')}`,
    {
      degraded: true,
      progressing: absent.length === 0,
    },
  );
}

function healthy({ expected, topology }: Findings): ConditionPlan {
  const primaries = topology.leaders.size;
  return condition(
    'True',
    'Healthy',
    `${primaries} primaries and ${expected.length - primaries} replicas serve all ${SLOTS} slots`,
  );
}

function whyLagging({ name, shard, pod }: ExpectedPod, topology: Topology): string | undefined {
  const primary = (topology.formed ? topology.leaders : topology.primaries).get(shard);
  const node = topology.known.find((known) => known.name === name);
  if (pod === undefined || node === undefined || node === primary) return undefined;
  if (primary === undefined) return `pod ${name} is of shard ${shard}, which holds no slots; ${HELP}`;
  if (isInSync(node, primary)) return undefined;
  if (node.view.role === 'replica') return `pod ${name} has not caught up with ${primary.name}`;
  // With the same slots it is the primary of before, which hears of its successor in a moment.
  if (isBlank(node) || overlaps(ownSlots(node), ownSlots(primary)))
    return `pod ${name} is to become a replica of ${primary.name}`;
  if (isLeftOver(node, topology)) return `pod ${name} hands keys to the primaries of their slots, to become a replica`;
  if (slotsOf(topology, node).length > 0)
    return `pod ${name} holds slots beside ${primary.name}, and is to give them up`;
  return `pod ${name} holds keys or slots beside ${primary.name} and is left alone; ${HELP}`;
}

function followsItsPrimary(name: string, topology: Topology): boolean {
  const node = topology.known.find((known) => known.name === name);
  const primary = node === undefined ? undefined : topology.primaries.get(node.shard);
  return node !== undefined && primary !== undefined && isInSync(node, primary);
}

function stateOf({ unserved, claimed, topology }: Findings): string {
  if (unserved === '') return 'ok';
  if (topology.known.length === 0) return 'unknown';
  return claimed === 0 ? 'forming' : 'fail';
}

function condition(
  status: ConditionPlan['status'],
  reason: string,
  message: string,
  more: Pick<ConditionPlan, 'degraded' | 'progressing'> = {},
): ConditionPlan {
  return { type: 'RedisReady', status, reason, message, ...more };
}
