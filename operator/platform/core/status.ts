import { isDeepStrictEqual } from 'node:util';
import { type Condition, setCondition } from '../../runtime/conditions.ts';
import type { ComponentName, ComponentPlan, EventPlan } from './component.ts';
import type { EffectivePlatform } from './effective.ts';
import type { Platform, PlatformStatus } from './platform.ts';
import type { PlannedCondition } from './summary.ts';

export interface StatusInput {
  readonly platform: Platform;
  readonly effective: EffectivePlatform;
  readonly plans: ReadonlyMap<ComponentName, ComponentPlan>;
  readonly conditions: readonly PlannedCondition[];
  readonly operatorVersion: string;
  readonly now: Date;
}

/** The whole status; the same as the one before, times included, when nothing has happened. */
export function buildStatus(input: StatusInput): PlatformStatus {
  const { platform, effective, plans, operatorVersion, now } = input;
  const before = platform.status ?? {};
  const generation = platform.metadata.generation ?? 0;
  const conditions = input.conditions.reduce<Condition[]>(
    (all, condition) => setCondition(all, { ...condition, observedGeneration: generation }, now),
    (before.conditions ?? []).filter(({ type }) => input.conditions.some((wanted) => wanted.type === type)),
  );
  const parts = [...plans.values()].map((plan) => plan.status ?? {});
  return {
    // What records the past stays until a component replaces it.
    ...(before.lastFailover === undefined ? {} : { lastFailover: before.lastFailover }),
    ...(before.lastSwitchover === undefined ? {} : { lastSwitchover: before.lastSwitchover }),
    ...(before.lastRestart === undefined ? {} : { lastRestart: before.lastRestart }),
    ...Object.assign({}, ...parts),
    observedGeneration: generation,
    version: operatorVersion,
    customers: effective.tier,
    conditions,
  };
}

export function isSameStatus(a: PlatformStatus | undefined, b: PlatformStatus): boolean {
  return isDeepStrictEqual(normal(a ?? {}), normal(b));
}

/** As it would come back from the API server: without fields that are undefined, and with conditions in a fixed order. */
function normal(status: PlatformStatus): unknown {
  const copy = JSON.parse(JSON.stringify(status)) as PlatformStatus;
  copy.conditions?.sort((a, b) => a.type.localeCompare(b.type));
  return copy;
}

/** An event for each condition that has turned over. */
export function transitionEvents(before: PlatformStatus | undefined, after: PlatformStatus): EventPlan[] {
  const wasReady = before?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  return (after.conditions ?? []).flatMap((condition) => {
    const old = before?.conditions?.find(({ type }) => type === condition.type);
    if (old?.status === condition.status || !isWorthAnEvent(old, condition)) return [];
    // Until it serves, a platform has less than wanted by nature.
    if (condition.type === 'Degraded' && !wasReady) return [];
    return [
      {
        type: isTrouble(condition) ? ('Warning' as const) : ('Normal' as const),
        reason: eventReason(condition),
        action: 'Reconcile',
        note: condition.message,
      },
    ];
  });
}

/** Conditions that are bad news when they are true. */
const negative = new Set(['Degraded', 'Stalled', 'FailoverInProgress']);
/** Conditions that are neither. */
const neutral = new Set(['Progressing', 'Reconciling']);

function isTrouble({ type, status }: Condition): boolean {
  if (neutral.has(type)) return false;
  return negative.has(type) ? status === 'True' : status !== 'True';
}

function isWorthAnEvent(old: Condition | undefined, condition: Condition): boolean {
  if (neutral.has(condition.type)) return false;
  // A new platform starts with nothing ready: that is no news, and neither is a trouble it does not have.
  if (old === undefined)
    return negative.has(condition.type) ? condition.status === 'True' : condition.status === 'True';
  return true;
}

/** `PostgresReady`, `PostgresNotReady`, `Degraded`, `NoLongerDegraded`. */
function eventReason({ type, status }: Condition): string {
  if (status === 'True') return type;
  return negative.has(type) ? `NoLonger${type}` : type.replace(/Ready$/, 'NotReady');
}
