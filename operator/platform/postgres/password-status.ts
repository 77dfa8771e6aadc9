import type { EventPlan, Scope } from '../core/component.ts';
import type { PasswordRotationStatus } from '../core/platform.ts';
import { rotationEvents } from '../core/rotation-events.ts';
import { appLogin, nextLogin } from './login.ts';
import type { PasswordPlan } from './password-rotation.ts';

/** The latest rotation of the password, for the status; undefined while there was none. */
export function passwordStatus(scope: Scope, plan: PasswordPlan | undefined): PasswordRotationStatus | undefined {
  const login = appLogin(scope);
  const next = nextLogin(scope);
  const request = plan?.phase === 'Preparing' ? next?.rotatedFor : login?.rotatedFor;
  if (plan === undefined || request === undefined) return undefined;
  return {
    request,
    phase: plan.phase === 'Idle' ? 'Done' : plan.phase,
    ...(login === undefined ? {} : { username: login.username }),
    ...(plan.waitsFor === undefined ? {} : { message: `waits for ${plan.waitsFor}` }),
  };
}

const notes: Readonly<Record<string, string>> = {
  Preparing: 'a new password was made; the members are getting it',
  Retiring: 'the new password is in force; the last one is valid until nobody has it',
  Done: 'the last password was revoked',
};

/** An event for each step of it. */
export function passwordEvents({ platform }: Scope, after: PasswordRotationStatus | undefined): EventPlan[] {
  return rotationEvents('PasswordRotation', notes, platform.status?.postgres?.passwordRotation, after);
}
