import type { ComponentPlan, ConditionPlan, EventPlan, Scope } from '../../core/component.ts';
import { annotations } from '../../core/names.ts';
import type { PasswordRotationStatus } from '../../core/platform.ts';
import { rotationEvents } from '../../core/rotation-events.ts';
import { hostToAsk, type Repair, restored } from '../definitions.ts';
import { observePods, stateOf } from '../observe.ts';
import type { PasswordPlan } from './rotation.ts';
import { brokerLogin, nextLogin } from './secrets.ts';

/** The plan of RabbitMQ with what a rotation of its password adds to it. */
export function withRotation(scope: Scope, plan: ComponentPlan, rotation: PasswordPlan | undefined): ComponentPlan {
  if (rotation === undefined) return plan;
  const status = passwordStatus(scope, rotation);
  const rabbitmq = plan.status?.rabbitmq;
  const delays = [plan.requeueAfterMs, rotation.until && rotation.until.getTime() - scope.now.getTime()];
  const requeueAfterMs = Math.min(...delays.filter((delay) => delay !== undefined));
  return {
    ...plan,
    actions: [...(plan.actions ?? []), ...actionsOf(scope, rotation)],
    condition: conditionOf(plan.condition, rotation),
    events: [...(plan.events ?? []), ...comebackEvents(scope, rotation), ...passwordEvents(scope, status)],
    ...(rabbitmq === undefined || status === undefined
      ? {}
      : { status: { ...plan.status, rabbitmq: { ...rabbitmq, passwordRotation: status } } }),
    ...(Number.isFinite(requeueAfterMs) ? { requeueAfterMs } : {}),
  };
}

function actionsOf(scope: Scope, { admit, revoke }: PasswordPlan): Repair[] {
  if (scope.effective.paused || (admit === undefined && revoke === undefined)) return [];
  const pods = observePods(scope);
  const host = hostToAsk(pods, stateOf(pods));
  if (host === undefined) return [];
  return [
    ...(admit === undefined ? [] : [{ type: 'rabbitmq.admit-user', host } as const]),
    ...(revoke === undefined ? [] : [{ type: 'rabbitmq.revoke-user', host, username: revoke } as const]),
  ];
}

/** The latest rotation, for the status; undefined while there was none. */
function passwordStatus(scope: Scope, { phase, waitsFor }: PasswordPlan): PasswordRotationStatus | undefined {
  const login = brokerLogin(scope);
  const asked = scope.platform.metadata.annotations?.[annotations.rotateRabbitmqPassword];
  const request = phase === 'Preparing' ? (nextLogin(scope)?.rotatedFor ?? asked) : login?.rotatedFor;
  if (login === undefined || request === undefined) return undefined;
  return {
    request,
    phase: phase === 'Idle' ? 'Done' : phase,
    username: login.username,
    ...(waitsFor === undefined ? {} : { message: `waits for ${waitsFor}` }),
  };
}

function conditionOf(condition: ConditionPlan, { phase, waitsFor }: PasswordPlan): ConditionPlan {
  if (phase === 'Idle' || condition.reason !== 'Healthy') return condition;
  const why = waitsFor === undefined ? '' : `, which waits for ${waitsFor}`;
  const message = `${condition.message}; the password is being rotated${why}`;
  return { ...condition, reason: 'PasswordRotation', message, progressing: true };
}

const notes: Readonly<Record<string, string>> = {
  Preparing: 'a new password of RabbitMQ is asked for; the nodes are getting it',
  Retiring: 'the new password of RabbitMQ is in force; the last one is valid until nobody has it',
  Done: 'the last password of RabbitMQ was revoked',
};

/** An event for each step of it. */
function passwordEvents({ platform }: Scope, after: PasswordRotationStatus | undefined): EventPlan[] {
  return rotationEvents('RabbitMQPasswordRotation', notes, platform.status?.rabbitmq?.passwordRotation, after);
}

/** Outside of a rotation nobody takes a user away but one that was taken away before. */
function comebackEvents(scope: Scope, { phase, revoke }: PasswordPlan): EventPlan[] {
  if (phase !== 'Idle' || revoke === undefined || scope.effective.paused) return [];
  return [restored({ message: `user ${revoke}, which was revoked, is there again`, serves: true })];
}
