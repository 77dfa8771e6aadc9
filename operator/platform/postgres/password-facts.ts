import type { Pod } from '../../kube/resources.ts';
import type { Scope } from '../core/component.ts';
import { annotations } from '../core/names.ts';
import { doPoolersKnow } from '../pooler/logins.ts';
import { leadership } from './leadership.ts';
import { appLogin, nextLogin } from './login.ts';
import { isLoginFollowed } from './login-use.ts';
import type { LoginsReading } from './logins-probe.ts';
import { memberPods, observe } from './observe.ts';
import { type PasswordPlan, passwordPlan } from './password-rotation.ts';
import type { Answer } from './reading.ts';

export const NEXT_LOGIN_PROBE = 'postgres/next-login';

export function loginsProbeName(pod: Pod): string {
  return `postgres/logins/${pod.metadata.name}`;
}

/** How to go on with what the annotation `isp.support/rotate-postgres-password` asks for; undefined without a login. */
export function passwordRotationOf(scope: Scope): PasswordPlan | undefined {
  const { platform, probes, now } = scope;
  const login = appLogin(scope);
  if (login === undefined) return undefined;
  const request = platform.metadata.annotations?.[annotations.rotatePassword];
  const next = nextLogin(scope);
  // Nothing was ever asked for, and nothing is.
  if (request === undefined && next === undefined && login.rotatedFor === login.retiredFor) return { phase: 'Idle' };
  const { primary, rogues } = leadership(observe(scope));
  return passwordPlan({
    now,
    request,
    login,
    next,
    primary: rogues.length > 0 ? undefined : primary?.name,
    members: memberPods(scope).map((pod) => {
      const answer = probes.get<Answer<LoginsReading>>(loginsProbeName(pod))?.value;
      return { name: pod.metadata.name, logins: answer?.ok === true ? answer.value : undefined };
    }),
    proven: probes.get<Answer<true>>(NEXT_LOGIN_PROBE)?.value,
    isPoolerBehind: next !== undefined && !doPoolersKnow(scope, next),
    followed: isLoginFollowed(scope),
  });
}

/** Whether logins are being changed, so that the members have to be asked about them. */
export function isRotating(scope: Scope): boolean {
  const login = appLogin(scope);
  return nextLogin(scope) !== undefined || login?.rotatedFor !== login?.retiredFor;
}
