import type { ConditionPlan } from '../../core/component.ts';
import type { PlatformStatus } from '../../core/platform.ts';
import type { SentinelAction } from './actions.ts';
import { SENTINELS } from './names.ts';
import type { Member, SentinelObserved } from './observe.ts';
import { isInSync, type Reading } from './reading.ts';
import { chosenPrimary, knowsAll } from './repair.ts';

export interface Health {
  readonly condition: ConditionPlan;
  readonly status: NonNullable<PlatformStatus['redis']>;
  /** Every pod answers, all replicas are in sync, and there is nothing to repair. */
  readonly whole: boolean;
}

const HELP = 'see docs/components/redis.md for what to do';

export function readHealth(
  observed: SentinelObserved,
  reading: Reading,
  expected: { readonly servers: readonly string[]; readonly sentinels: readonly string[] },
  repair: readonly SentinelAction[],
): Health {
  const { primary } = reading;
  const inSync = primary === undefined ? [] : reading.servers.filter((node) => isInSync(node, primary));
  const absent = [
    ...expected.servers.flatMap((name) => whyAbsent(name, observed.servers) ?? []),
    ...expected.sentinels.flatMap((name) => whyAbsent(name, observed.sentinels) ?? []),
  ];
  const condition = conditionOf(observed, reading, absent, repair);
  return {
    condition,
    status: {
      mode: 'sentinel',
      state: primary === undefined ? (reading.believed === undefined ? 'forming' : 'fail') : 'ok',
      masters: primary === undefined ? 0 : 1,
      replicas: inSync.length,
      slotsAssigned: 0,
    },
    whole: condition.reason === 'Healthy' && repair.length === 0,
  };
}

function conditionOf(
  observed: SentinelObserved,
  reading: Reading,
  absent: readonly string[],
  repair: readonly SentinelAction[],
): ConditionPlan {
  const { primary, believed, isAgreed, servers } = reading;
  const pods = [...observed.servers, ...observed.sentinels];
  if (pods.length > 0 && pods.every((pod) => pod.notReady === undefined && pod.answer === undefined))
    return condition('Unknown', 'NotObserved', 'waiting for the first answer of the Redis pods');
  if (primary === undefined && believed === undefined) {
    if (absent.length > 0) return condition('False', 'WaitingForPods', absent.join('; '), { progressing: true });
    if (repair.length > 0 || chosenPrimary(reading) !== undefined)
      return condition('False', 'Forming', 'all pods answer; one is made the primary, and the Sentinels are told', {
        progressing: true,
      });
    return condition(
      'False',
      'PrimaryUnclear',
      `no Sentinel knows the primary, and it does not show which one it was; ${HELP}`,
    );
  }
  if (primary === undefined) {
    const why = absent.length > 0 ? absent.join('; ') : 'the Sentinels have not elected another one yet';
    return condition('False', 'PrimaryLost', `the primary does not serve; ${why}`);
  }
  if (!isAgreed)
    return condition(
      'True',
      'SentinelsMissing',
      [`${primary.name} serves, and could not be replaced: no majority of the Sentinels watches it`, ...absent].join(
        '; ',
      ),
      {
        degraded: true,
        progressing: absent.length === 0,
      },
    );
  const lagging = servers.filter((node) => node !== primary && !isInSync(node, primary));
  const missing = [
    ...absent,
    ...lagging.map(
      ({ name, view }) =>
        `pod ${name} ${isKept(view, primary.view) ? `has keys while ${primary.name} has none, and is left alone; ${HELP}` : `has not caught up with ${primary.name}`}`,
    ),
  ];
  if (missing.length > 0)
    return condition(
      'True',
      'ReplicasMissing',
      `${primary.name} serves, with less redundancy than wanted: ${missing.join('; ')}`,
      {
        degraded: true,
        progressing: absent.length === 0,
      },
    );
  const learning = reading.sentinels.filter((node) => !knowsAll(node, reading)).map(({ name }) => name);
  if (learning.length > 0)
    return condition(
      'True',
      'SentinelsLearning',
      `${primary.name} serves; Sentinels that have yet to find all replicas and each other, without whom they elect nobody: ${learning.join(', ')}`,
      {
        degraded: true,
        progressing: true,
      },
    );
  return condition(
    'True',
    'Healthy',
    `${primary.name} serves with ${servers.length - 1} replicas, watched by ${SENTINELS} Sentinels`,
  );
}

function isKept(view: { readonly empty: boolean }, primary: { readonly empty: boolean }): boolean {
  return primary.empty && !view.empty;
}

function whyAbsent(name: string, members: readonly Member<unknown>[]): string | undefined {
  const pod = members.find((one) => one.name === name);
  if (pod === undefined) return `pod ${name} does not exist yet`;
  const answer = pod.answer as { readonly kind: string; readonly message?: string } | undefined;
  if (answer?.kind === 'view') return undefined;
  return pod.notReady ?? `pod ${name} ${answer?.message ?? 'has not been asked yet'}`;
}

function condition(
  status: ConditionPlan['status'],
  reason: string,
  message: string,
  more: Pick<ConditionPlan, 'degraded' | 'progressing'> = {},
): ConditionPlan {
  return { type: 'RedisReady', status, reason, message, ...more };
}
