import { rolloutCondition, rolloutOf } from '../application/rollout.ts';
import type { ConditionPlan, Scope } from '../core/component.ts';
import type { Pooler } from './observe.ts';
import { hasPooledRoute } from './route.ts';

/** What there is to say of both poolers. Nobody of the platform's own reads through the one for reads, so it alone takes nothing down. */
export function poolerCondition(scope: Scope, writes: Pooler, reads: Pooler): ConditionPlan {
  const { instances } = scope.effective.postgres.pooler;
  const { failureThreshold } = scope.effective.failover;
  const through = blindPods(writes, failureThreshold);
  const isBlind = through !== undefined && through.length === writes.pods.length;
  const parts = [writes, reads].map((pooler) => ofOne(pooler, instances, failureThreshold));
  const [ofWrites, ofReads] = parts as [ConditionPlan, ConditionPlan];
  const told = parts.filter(({ reason }) => reason !== 'Healthy');
  // As long as the application goes another way, it is kept from nothing, and nothing is less than it was.
  const isUsed = hasPooledRoute(scope);
  const degraded = isUsed && (parts.some((part) => part.degraded === true) || ofReads.status === 'False');
  return {
    status: !isUsed ? 'True' : isBlind ? 'False' : ofWrites.status,
    reason: told[0]?.reason ?? 'Healthy',
    message: (told.length === 0 ? parts : told).map(({ message }) => message).join('; '),
    ...(degraded ? { degraded } : {}),
    ...(parts.some((part) => part.progressing === true) ? { progressing: true } : {}),
  };
}

function ofOne(pooler: Pooler, instances: number, threshold: number): ConditionPlan {
  const { name, deployment, pods } = pooler;
  const rollout = rolloutCondition(
    name,
    rolloutOf(deployment, instances),
    pods.map(({ pod }) => pod),
  );
  if (rollout.reason !== 'Healthy') return rollout;
  const told = unanswered(pooler) ?? blind(pooler, threshold);
  return told === undefined ? rollout : { status: 'True', degraded: true, ...told };
}

/** Pods that the kubelet calls ready, and that do not answer the operator. */
function unanswered({ name, pods }: Pooler): Pick<ConditionPlan, 'reason' | 'message'> | undefined {
  const answers = pods.flatMap(({ reading }) => (reading?.console.ok === false ? [reading.console] : []));
  const [first] = answers;
  if (first === undefined) return undefined;
  const message = `${answers.length} of ${pods.length} pods of Deployment ${name} do not answer the operator (${first.problem}: ${first.detail}); see kubectl logs deployment/${name}`;
  return { reason: 'PodsNotAnswering', message };
}

function blind(pooler: Pooler, threshold: number): Pick<ConditionPlan, 'reason' | 'message'> | undefined {
  const { name, pods, kind } = pooler;
  const found = blindPods(pooler, threshold);
  const [first] = found ?? [];
  if (found === undefined || first === undefined) return undefined;
  const counted = `${found.length} of ${pods.length} pods of Deployment ${name}`;
  const answer = first.reading?.server;
  const waits = found.some(({ reading }) => reading?.console.ok === true && reading.console.value.clientsWaiting > 0);
  if (answer?.ok === true) return { reason: 'LeadsToStandby', message: `${counted} lead to a standby` };
  const why = answer === undefined ? '' : ` (${answer.problem}: ${answer.detail})`;
  const where = kind === 'writes' ? 'the primary' : 'a standby';
  const remedy = waits
    ? 'its clients wait for a connection: raise maxServerConnections, or look for long transactions'
    : `see kubectl logs deployment/${name}`;
  return { reason: 'ServerNotReached', message: `${counted} do not reach ${where}${why}; ${remedy}` };
}

/** The pods through which no server answers though there is one, or not the right one; undefined while there is none. */
function blindPods({ kind, pods, servers }: Pooler, threshold: number): Pooler['pods'] | undefined {
  if (servers === undefined || pods.length === 0) return undefined;
  return pods.filter(({ reading }) => {
    if (reading === undefined) return false;
    if (reading.server.ok) return kind === 'writes' && reading.server.value.inRecovery;
    return reading.failures >= threshold;
  });
}
