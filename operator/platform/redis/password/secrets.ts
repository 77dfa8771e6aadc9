import { resources, type Secret } from '../../../kube/resources.ts';
import type { Scope } from '../../core/component.ts';
import { childName, namespaceOf } from '../../core/names.ts';
import type { Platform } from '../../core/platform.ts';
import { loginAnnotations, type RotationNotes, rotationNotes } from '../../core/rotation-journal.ts';
import { PASSWORD_KEY, redisName } from '../names.ts';

/** On the application's Secret and its pods: which password of Redis they have, counted. Absent with the first one. */
export const REDIS_LOGIN = 'isp.support/redis-login';

/** Key of the password that is to be replaced, in the Secret of the next one. */
export const LAST_KEY = 'last';

/** What the Secret of Redis says. */
export interface RedisLogin extends RotationNotes {
  readonly password: string;
}

/** The passwords of a rotation, in a Secret that is made once and goes with it. */
export interface NextPassword {
  readonly password: string;
  readonly last: string;
  readonly rotatedFor: string;
}

export function nextSecretName(platform: Platform): string {
  return childName(platform, 'redis', 'next');
}

/** The password in force; undefined without a Secret that has it. */
export function redisLogin(scope: Scope): RedisLogin | undefined {
  const secret = secretOf(scope, redisName(scope.platform));
  const password = decode(secret, PASSWORD_KEY);
  return secret === undefined || password === undefined ? undefined : { password, ...rotationNotes(secret) };
}

/** The passwords of the rotation that is under way; undefined while none is. */
export function nextPassword(scope: Scope): NextPassword | undefined {
  const secret = secretOf(scope, nextSecretName(scope.platform));
  const password = decode(secret, PASSWORD_KEY);
  const last = decode(secret, LAST_KEY);
  const rotatedFor = secret?.metadata.annotations?.[loginAnnotations.rotatedFor];
  if (password === undefined || last === undefined || rotatedFor === undefined) return undefined;
  return { password, last, rotatedFor };
}

/** Every password that a server may take now, the one in force first; none without a Secret that has it. */
export function passwordsOf(scope: Scope): readonly string[] {
  const login = redisLogin(scope);
  if (login === undefined) return [];
  const next = nextPassword(scope);
  return [...new Set([login.password, ...(next === undefined ? [] : [next.password, next.last])])];
}

/** Which password of Redis the application is to use; undefined while it never was another than the first. */
export function redisLoginAnnotation(scope: Scope): string | undefined {
  return secretOf(scope, childName(scope.platform, 'app'))?.metadata.annotations?.[REDIS_LOGIN];
}

function secretOf({ children, platform }: Scope, name: string): Secret | undefined {
  return children.get<Secret>({ resource: resources.secrets, namespace: namespaceOf(platform), name });
}

function decode(secret: Secret | undefined, key: string): string | undefined {
  const encoded = secret?.data?.[key];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}
