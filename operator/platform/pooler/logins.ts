import type { Scope } from '../core/component.ts';
import { isPodReady } from '../core/pods.ts';
import { type AppLogin, appLogin, nextLogin, otherUser } from '../postgres/login.ts';
import { isLoginFollowed } from '../postgres/login-use.ts';
import { offersTls } from '../postgres/tls/names.ts';
import { type Login, userlist } from './config.ts';
import { liveUserlist } from './credentials.ts';
import { startHash } from './desired.ts';
import { POOLER_KINDS, START_ANNOTATION } from './names.ts';
import { poolerPods } from './observe.ts';
import { isPoolerInUse } from './route.ts';

/** Those whom the poolers are to let in; nobody while there is no login. */
export function poolerLogins(scope: Scope): Login[] {
  const login = appLogin(scope);
  if (login === undefined) return [];
  const known = (username: string) => knownLogin(scope, username);
  // Whose pods have which login matters during a rotation only.
  const isFollowed = login.rotatedFor === login.retiredFor || isLoginFollowed(scope);
  return letIn({ login, next: nextLogin(scope), isFollowed, known });
}

/**
 * Pure: the application's login, the one that is to follow, and the one before while pods of the application have it, whose password nobody knows any more but
 * the poolers. In an order that does not change when the next one comes into force, since every change takes new pods.
 */
export function letIn(facts: {
  readonly login: AppLogin;
  readonly next: AppLogin | undefined;
  readonly isFollowed: boolean;
  /** What the poolers have of a role. */
  readonly known: (username: string) => Login | undefined;
}): Login[] {
  const { login, next, isFollowed, known } = facts;
  const isOther = next !== undefined && next.username !== login.username;
  const isRetiring = login.rotatedFor !== login.retiredFor && !isFollowed;
  const other = isOther ? next : isRetiring ? known(otherUser(login.username)) : undefined;
  const logins: Login[] = other === undefined ? [login] : [login, other];
  return logins.toSorted((a, b) => (a.username < b.username ? -1 : 1));
}

/** Whether every pod of a pooler would let this login in; true where there is no pooler. */
export function doPoolersKnow(scope: Scope, { username, password }: Login): boolean {
  const { platform, effective } = scope;
  const { pooler } = effective.postgres;
  if (!pooler.enabled && !isPoolerInUse(scope)) return true;
  const users = liveUserlist(scope);
  if (users === undefined || !decoded(users).includes(userlist([{ username, password }]))) return false;
  return POOLER_KINDS.every((kind) =>
    poolerPods(scope, kind).every((pod) => {
      const hash = startHash(platform, pooler, kind, users, offersTls(pod));
      return pod.metadata.annotations?.[START_ANNOTATION] === hash && isPodReady(pod);
    }),
  );
}

/** As the list of users has it, whose quotes are doubled within a password. */
function knownLogin(scope: Scope, username: string): Login | undefined {
  const start = `"${username}" "`;
  const line = decoded(liveUserlist(scope) ?? '')
    .split('\n')
    .find((one) => one.startsWith(start));
  return line === undefined ? undefined : { username, password: line.slice(start.length, -1).replaceAll('""', '"') };
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
