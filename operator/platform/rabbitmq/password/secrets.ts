import { resources, type Secret } from '../../../kube/resources.ts';
import type { Scope } from '../../core/component.ts';
import { namespaceOf } from '../../core/names.ts';
import { loginAnnotations, type RotationNotes, type RotationStep, rotationNotes } from '../../core/rotation-journal.ts';
import type { Turn } from '../found-definitions.ts';
import type { Login } from '../management-http.ts';
import { nextSecretName, otherUser, rabbitmqName, secretKeys } from '../names.ts';

/** Key of the password that is to be replaced, in the Secret of the next login. */
export const LAST_KEY = 'last';

/** The login in force, and what its Secret says of its rotation. */
export interface BrokerLogin extends Login, RotationNotes {}

/** The login that is to follow, in a Secret that is made once and goes with the rotation. */
export interface NextLogin extends Login {
  /** Password of the other user, whose turn it was. */
  readonly last: string;
  readonly rotatedFor: string;
}

/** The login in force; undefined without a Secret that has it. */
export function brokerLogin(scope: Scope): BrokerLogin | undefined {
  const secret = secretOf(scope, rabbitmqName(scope.platform));
  const login = loginIn(secret);
  return secret === undefined || login === undefined ? undefined : { ...login, ...rotationNotes(secret) };
}

/** The login that the rotation under way brings, also when it is in force; undefined while none is. */
export function nextLogin(scope: Scope): NextLogin | undefined {
  const secret = secretOf(scope, nextSecretName(scope.platform));
  const login = loginIn(secret);
  const last = decode(secret, LAST_KEY);
  const rotatedFor = secret?.metadata.annotations?.[loginAnnotations.rotatedFor];
  if (login === undefined || last === undefined || rotatedFor === undefined) return undefined;
  return { ...login, last, rotatedFor };
}

/** How far the rotation under way is; one whose step somebody took away goes on from where its requests say that it is. */
export function stepOf({ step, rotatedFor, retiredFor }: BrokerLogin): RotationStep | undefined {
  return step ?? (rotatedFor === retiredFor ? undefined : 'InForce');
}

/** Whether a login that is to follow was made beside the one in force, and not beside one that somebody has replaced since. */
export function isNextOf(login: BrokerLogin, next: NextLogin): boolean {
  const isNew = next.rotatedFor !== login.rotatedFor;
  return isNew && next.username === otherUser(login.username) && next.last === login.password;
}

/**
 * Of the two users that take turns, what is to be of the one whose turn it is not: valid until the last of its clients is gone, and not there
 * otherwise; undefined where nothing is known of it, as while the password was never rotated.
 */
export function otherTurn(login: BrokerLogin, next: NextLogin | undefined): Turn | undefined {
  const username = otherUser(login.username);
  const step = stepOf(login);
  if (step === 'Accepting')
    return next !== undefined && isNextOf(login, next) ? { username, password: next.password } : undefined;
  if (step === 'InForce') return next === undefined ? undefined : { username, password: next.last };
  return login.rotatedFor === undefined ? undefined : { username };
}

function loginIn(secret: Secret | undefined): Login | undefined {
  const username = decode(secret, secretKeys.username);
  const password = decode(secret, secretKeys.password);
  return username === undefined || password === undefined ? undefined : { username, password };
}

function secretOf({ children, platform }: Scope, name: string): Secret | undefined {
  return children.get<Secret>({ resource: resources.secrets, namespace: namespaceOf(platform), name });
}

function decode(secret: Secret | undefined, key: string): string | undefined {
  const encoded = secret?.data?.[key];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}
