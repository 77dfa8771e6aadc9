import { resources } from '../../kube/resources.ts';
import type { Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import type { RandomString } from '../core/random.ts';
import { annotationsOfRotation, loginAnnotations, type RotationNotes } from '../core/rotation-journal.ts';
import type { GeneratedSecret } from '../core/secrets.ts';
import { PASSWORD_LENGTH, redisValues } from '../redis/credentials.ts';
import { isSentinel } from '../redis/mode.ts';
import { PASSWORD_KEY, redisName } from '../redis/names.ts';
import { passwordRotationOf } from '../redis/password/facts.ts';
import type { PasswordPlan } from '../redis/password/rotation.ts';
import {
  LAST_KEY,
  type NextPassword,
  nextPassword,
  nextSecretName,
  type RedisLogin,
  redisLogin,
} from '../redis/password/secrets.ts';
import type { RotatedSecrets } from './rotation.ts';

/** Pure but for `random`: makes the next password of Redis up, and writes down each step. A password that was never rotated is not touched. */
export function rotatedRedisSecrets(scope: Scope, random: RandomString): RotatedSecrets {
  const plan = passwordRotationOf(scope);
  const login = redisLogin(scope);
  const next = nextPassword(scope);
  if (plan === undefined || login === undefined) return { creates: [], objects: [], remove: [] };
  const isOver = next !== undefined && next.rotatedFor === login.retiredFor;
  const name = nextSecretName(scope.platform);
  return {
    creates: plan.begin === undefined ? [] : [nextSecret(name, login, plan.begin, random)],
    objects: plan.step === undefined ? [] : secretFor(scope, plan.step, login, next),
    remove: isOver ? [{ ref: { resource: resources.secrets, namespace: namespaceOf(scope.platform), name } }] : [],
  };
}

function nextSecret(name: string, { password }: RedisLogin, request: string, random: RandomString): GeneratedSecret {
  return {
    name,
    component: 'redis',
    values: { [PASSWORD_KEY]: random(PASSWORD_LENGTH), [LAST_KEY]: password },
    annotations: { [loginAnnotations.rotatedFor]: request },
  };
}

function secretFor(
  scope: Scope,
  step: NonNullable<PasswordPlan['step']>,
  login: RedisLogin,
  next: NextPassword | undefined,
): GeneratedSecret[] {
  const { rotatedFor, password } = login;
  const since = scope.now;
  if (step === 'Done')
    return [secretOf(scope, password, undefined, { rotatedFor, retiredFor: rotatedFor, step: undefined, since })];
  if (step === 'Revoking') return [secretOf(scope, password, undefined, { ...login, step, since })];
  if (next === undefined) return [];
  // A server that keeps its users in a file of its own takes them from there.
  const other = (one: string) => (isSentinel(scope) ? undefined : one);
  if (step === 'Accepting') return [secretOf(scope, password, other(next.password), { ...login, step, since })];
  return [secretOf(scope, next.password, other(password), { ...login, rotatedFor: next.rotatedFor, step, since })];
}

function secretOf(
  { platform }: Scope,
  password: string,
  other: string | undefined,
  notes: RotationNotes,
): GeneratedSecret {
  return {
    name: redisName(platform),
    component: 'redis',
    values: redisValues(platform, password, other),
    annotations: annotationsOfRotation(notes),
  };
}
