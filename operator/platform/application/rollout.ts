import type { Deployment, Pod } from '../../kube/resources.ts';
import type { ConditionPlan } from '../core/component.ts';
import { troubleOf } from '../core/pods.ts';

/** Where a Deployment stands, read the way `kubectl rollout status` reads it. */
export interface Rollout {
  readonly wanted: number;
  readonly ready: number;
  readonly updated: number;
  /** Every wanted pod is of the newest template and available, and no old one is left. */
  readonly complete: boolean;
  /** The Deployment's own controller has given up waiting. */
  readonly stuck: string | undefined;
}

/** Reads a Deployment; undefined stands for one that is not there yet. */
export function rolloutOf(deployment: Deployment | undefined, wantedBefore: number): Rollout {
  if (deployment === undefined)
    return { wanted: wantedBefore, ready: 0, updated: 0, complete: false, stuck: undefined };
  const wanted = deployment.spec?.replicas ?? 1;
  const status = deployment.status ?? {};
  const updated = status.updatedReplicas ?? 0;
  const ready = status.readyReplicas ?? 0;
  const seen = (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0);
  const complete =
    seen && updated >= wanted && (status.replicas ?? 0) === updated && (status.availableReplicas ?? 0) >= wanted;
  const stalled = status.conditions?.find((c) => c.type === 'Progressing' && c.reason === 'ProgressDeadlineExceeded');
  const refused = status.conditions?.find((c) => c.type === 'ReplicaFailure' && c.status === 'True');
  const stuck =
    refused?.message ?? (stalled === undefined ? undefined : 'its pods do not become ready within the deadline');
  return { wanted, ready, updated, complete, stuck };
}

/** Troubles that pass by themselves and are no news. */
const passing = new Set(['is being deleted', 'is starting', 'is not ready']);

/**
 * A condition's status, reason and message for one Deployment.
 *
 * @param pods the Deployment's pods; their names are random, so only what troubles them is told
 */
export function rolloutCondition(name: string, rollout: Rollout, pods: readonly Pod[]): ConditionPlan {
  const { wanted, ready, complete, stuck } = rollout;
  const count = `${ready} of ${wanted} pods of Deployment ${name} are ready`;
  if (complete) return { status: 'True', reason: 'Healthy', message: count };
  const troubles = new Set(pods.map(troubleOf).filter((trouble) => trouble !== undefined && !passing.has(trouble)));
  const why = [...(stuck === undefined ? [] : [stuck]), ...[...troubles].map((trouble) => `a pod ${trouble}`)];
  const message = `${count}${why.length === 0 ? '' : `: ${why.join('; ')}`}; see kubectl describe deployment ${name}`;
  const status = ready > 0 ? 'True' : 'False';
  const degraded = ready > 0 && ready < wanted;
  if (why.length > 0) return { status, reason: 'RolloutStuck', message, degraded, progressing: true };
  if (ready >= wanted)
    return { status, reason: 'RollingOut', message: `${count}; old ones are being replaced`, progressing: true };
  return { status, reason: 'WaitingForPods', message, degraded, progressing: true };
}

/** What a component that must not start yet says about itself. */
export function blockedCondition(
  name: string,
  blockedBy: readonly { component: string; reason: string }[],
): ConditionPlan {
  const causes = blockedBy.map(({ component, reason }) => `${component} (${reason})`).join(', ');
  return {
    status: 'False',
    reason: 'WaitingForDependencies',
    message: `${name} waits for ${causes}`,
    progressing: true,
  };
}
