import { resources } from '../../../kube/resources.ts';
import type { BlockedBy, ComponentPlan, ConditionPlan } from '../../core/component.ts';
import { namespaceOf } from '../../core/names.ts';
import type { Platform } from '../../core/platform.ts';
import { podWithRole } from '../statefulset.ts';
import { sentinelObjects } from './desired.ts';
import { readHealth } from './health.ts';
import { SENTINELS, setName } from './names.ts';
import type { SentinelObserved } from './observe.ts';
import { type Reading, read } from './reading.ts';
import { repairActions } from './repair.ts';
import { handOver, type Rollout, rollout } from './rollout.ts';

/** What was done may leave no trace that a probe takes for a change, so look again after it. */
const LOOK_AGAIN_MS = 1000;

/** Pure: everything that is to be done about Redis in mode sentinel now. */
export function decide(platform: Platform, observed: SentinelObserved, blockedBy: readonly BlockedBy[]): ComponentPlan {
  const { wanted, liveServers, servers } = observed;
  const isBlocked = blockedBy.length > 0 && liveServers === undefined;
  const keepsMode = wanted.mode === 'sentinel';
  const wantedPods = keepsMode ? wanted.replicasPerShard + 1 : (liveServers?.replicas ?? servers.length);
  const pods = liveServers === undefined ? wantedPods : Math.max(wantedPods, 1);
  const reading = read(observed, Math.max(pods, liveServers?.replicas ?? 0));
  // The primary is not among those that go.
  const isHolding = (reading.primary?.ordinal ?? 0) >= pods;
  const count = isHolding ? (liveServers?.replicas ?? Math.max(pods, servers.length)) : pods;
  const repair = repairActions(wanted, reading);
  const expected = {
    servers: names(setName(platform, 'server'), count),
    sentinels: names(setName(platform, 'sentinel'), SENTINELS),
  };
  const health = readHealth(observed, reading, expected, repair);
  const rolling = rollout(observed, reading, health.whole);
  const isLeaving = isHolding || reading.primary?.deleting === true;
  const actions = [...(isLeaving ? handOver(reading) : []), ...repair, ...rolling.actions];
  return {
    objects: [
      ...sentinelObjects(
        platform,
        wanted,
        isBlocked ? undefined : { pods: count, storage: liveServers?.storage ?? wanted.storage },
        observed.forgets,
        observed.certificates,
      ),
      ...roleLabels(observed, reading),
    ],
    remove:
      rolling.remove === undefined
        ? []
        : [
            {
              ref: { resource: resources.pods, namespace: namespaceOf(platform), name: rolling.remove.name },
              uid: rolling.remove.uid,
            },
          ],
    actions,
    condition: isBlocked ? blocked(blockedBy) : conditionOf(health.condition, rolling, keepsMode),
    status: { redis: health.status },
    ...(actions.length === 0 ? {} : { requeueAfterMs: LOOK_AGAIN_MS }),
  };
}

function names(set: string, count: number): string[] {
  return Array.from({ length: count }, (_, ordinal) => `${set}-${ordinal}`);
}

/** The Service follows the label. A role that is not known now is the one that it was, but no two are the primary. */
function roleLabels({ servers }: SentinelObserved, { primary }: Reading) {
  return servers.flatMap((pod) => {
    if (pod.deleting) return [];
    const isPrimary = primary === undefined ? pod.role === 'primary' : pod.name === primary.name;
    if (primary === undefined && pod.role === undefined) return [];
    return [podWithRole(pod, isPrimary ? 'primary' : 'replica')];
  });
}

function conditionOf(condition: ConditionPlan, { outdated }: Rollout, keepsMode: boolean): ConditionPlan {
  const rolling = outdated.length > 0;
  const message = [
    condition.message,
    ...(rolling ? [`pods yet to be restarted with the new template: ${outdated.join(', ')}`] : []),
    ...(keepsMode
      ? []
      : [
          'Redis runs in mode sentinel and cannot become cluster: set spec.redis.mode back to sentinel, or create another platform',
        ]),
  ].join('; ');
  if (condition.reason !== 'Healthy')
    return { ...condition, message, progressing: condition.progressing === true || rolling };
  if (!keepsMode) return { ...condition, reason: 'ModeChangeRefused', message, degraded: true };
  return rolling ? { ...condition, reason: 'RollingOut', message, progressing: true } : condition;
}

function blocked(blockedBy: readonly BlockedBy[]): ConditionPlan {
  const what = blockedBy.map(({ component, reason }) => `${component} (${reason})`).join(', ');
  const message = `Redis is started after ${what}`;
  return { type: 'RedisReady', status: 'False', reason: 'WaitingForDependencies', message, progressing: true };
}
