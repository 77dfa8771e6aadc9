import type { ComponentPlan, ConditionPlan, EventPlan, Scope } from '../../core/component.ts';
import { annotations } from '../../core/names.ts';
import type { PasswordRotationStatus } from '../../core/platform.ts';
import { rotationEvents } from '../../core/rotation-events.ts';
import type { PasswordPlan } from './rotation.ts';
import { nextPassword, redisLogin } from './secrets.ts';

/** The plan of Redis with what a rotation of its password adds to it. */
export function withRotation(scope: Scope, plan: ComponentPlan, rotation: PasswordPlan | undefined): ComponentPlan {
  const status = passwordStatus(scope, rotation);
  if (rotation === undefined || status === undefined) return plan;
  const redis = plan.status?.redis;
  const delays = [plan.requeueAfterMs, rotation.until && rotation.until.getTime() - scope.now.getTime()];
  const requeueAfterMs = Math.min(...delays.filter((delay) => delay !== undefined));
  return {
    ...plan,
    actions: [...(plan.actions ?? []), ...rotation.actions],
    condition: conditionOf(plan.condition, rotation),
    events: [...(plan.events ?? []), ...passwordEvents(scope, status)],
    ...(redis === undefined ? {} : { status: { ...plan.status, redis: { ...redis, passwordRotation: status } } }),
    ...(Number.isFinite(requeueAfterMs) ? { requeueAfterMs } : {}),
  };
}

/** The latest rotation, for the status; undefined while there was none. */
function passwordStatus(scope: Scope, plan: PasswordPlan | undefined): PasswordRotationStatus | undefined {
  const login = redisLogin(scope);
  const asked = scope.platform.metadata.annotations?.[annotations.rotateRedisPassword];
  const request = plan?.phase === 'Preparing' ? (nextPassword(scope)?.rotatedFor ?? asked) : login?.rotatedFor;
  if (plan === undefined || request === undefined) return undefined;
  return {
    request,
    phase: plan.phase === 'Idle' ? 'Done' : plan.phase,
    ...(plan.waitsFor === undefined ? {} : { message: `waits for ${plan.waitsFor}` }),
  };
}

function conditionOf(condition: ConditionPlan, { waitsFor }: PasswordPlan): ConditionPlan {
  if (waitsFor === undefined) return condition;
  const message = `${condition.message}; the password is being rotated, and both are valid: waits for ${waitsFor}`;
  return condition.reason === 'Healthy' ? { ...condition, reason: 'PasswordRotation', message } : condition;
}

const notes: Readonly<Record<string, string>> = {
  Preparing: 'a new password of Redis is asked for; the servers are getting it',
  Retiring: 'the new password of Redis is in force; the last one is valid until nobody has it',
  Done: 'the last password of Redis was revoked',
};

/** An event for each step of it. */
function passwordEvents({ platform }: Scope, after: PasswordRotationStatus): EventPlan[] {
  return rotationEvents('RedisPasswordRotation', notes, platform.status?.redis?.passwordRotation, after);
}
