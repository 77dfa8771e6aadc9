import type { Pod } from '../kube/resources.ts';
import type { Platform, PlatformStatus } from '../platform/core/platform.ts';
import { whyNotReady } from '../platform/core/pods.ts';

type Condition = NonNullable<PlatformStatus['conditions']>[number];

/** Conditions that are bad news when they are true. */
const NEGATIVE = new Set(['Degraded', 'Stalled', 'FailoverInProgress']);
/** What the summary and the components' own conditions say already. */
const REPEATED = new Set(['Ready', 'Progressing', 'Reconciling', 'Degraded']);

export interface ConditionLine {
  readonly type: string;
  readonly ok: boolean;
  readonly reason: string;
  readonly message: string;
  /** Absent where the status does not say. */
  readonly seconds?: number;
}

/** What there is to say about one platform. */
export interface Report {
  readonly name: string;
  readonly namespace: string;
  readonly ready: boolean;
  readonly summary: ConditionLine;
  /** The components, and what is wrong beside them; trouble first. */
  readonly components: readonly ConditionLine[];
  /** The operator has not looked at the newest version of the resource. */
  readonly stale: boolean;
  readonly deleting: boolean;
  readonly paused: boolean;
  /** A sentence for each pod that is not ready. */
  readonly waitsFor: readonly string[];
  readonly ageSeconds: number;
  readonly status: PlatformStatus;
}

/** Reads a platform and its pods; `now` is what ages are counted from. */
export function reportOf(platform: Platform, pods: readonly Pod[], now: Date): Report {
  const { name, namespace = '', generation = 0, deletionTimestamp, creationTimestamp, annotations } = platform.metadata;
  const status = platform.status ?? {};
  const conditions = status.conditions ?? [];
  const ready = conditions.find(({ type }) => type === 'Ready');
  const stale = (status.observedGeneration ?? 0) < generation;
  const deleting = deletionTimestamp !== undefined;
  return {
    name,
    namespace,
    ready: ready?.status === 'True' && !stale && !deleting,
    summary: ready === undefined ? notLookedAt : lineOf(ready, now),
    components: conditions
      .filter(({ type }) => !REPEATED.has(type))
      .map((condition) => lineOf(condition, now))
      .filter(({ type, ok }) => !(ok && NEGATIVE.has(type)))
      .toSorted((a, b) => Number(a.ok) - Number(b.ok)),
    stale,
    deleting,
    paused: platform.spec?.paused === true || annotations?.['isp.support/reconcile'] === 'paused',
    waitsFor: pods
      .filter((pod) => pod.status?.phase !== 'Succeeded')
      .flatMap((pod) => whyNotReady(pod) ?? [])
      .toSorted(),
    ageSeconds: secondsSince(creationTimestamp, now) ?? 0,
    status,
  };
}

const notLookedAt: ConditionLine = {
  type: 'Ready',
  ok: false,
  reason: 'NotReconciled',
  message: 'the operator has not looked at it yet: is it running?',
};

function lineOf({ type, status, reason, message, lastTransitionTime }: Condition, now: Date): ConditionLine {
  const seconds = secondsSince(lastTransitionTime, now);
  return {
    type,
    ok: NEGATIVE.has(type) ? status === 'False' : status === 'True',
    reason,
    message,
    ...(seconds === undefined ? {} : { seconds }),
  };
}

function secondsSince(time: string | undefined, now: Date): number | undefined {
  return time === undefined ? undefined : Math.max(0, Math.floor((now.getTime() - Date.parse(time)) / 1000));
}
