import { resources } from '../../kube/resources.ts';
import type { ComponentPlan, Removal, Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import type { RandomString } from '../core/random.ts';
import { loginAnnotations } from '../core/rotation-journal.ts';
import type { GeneratedSecret } from '../core/secrets.ts';
import { loginValues, PASSWORD_LENGTH } from '../postgres/credentials.ts';
import { type AppLogin, appLogin, nextLogin } from '../postgres/login.ts';
import { appSecretName, nextSecretName } from '../postgres/names.ts';
import { passwordRotationOf } from '../postgres/password-facts.ts';

/** What a rotation of a password does to Secrets. */
export interface RotatedSecrets {
  readonly creates: readonly GeneratedSecret[];
  readonly objects: readonly GeneratedSecret[];
  readonly remove: NonNullable<ComponentPlan['remove']>;
}

/**
 * Pure but for `random`: makes the next login up, puts it into force when it is taken everywhere, and notes when the last one is revoked. A login that was never
 * rotated is not touched.
 */
export function rotatedSecrets(scope: Scope, random: RandomString): RotatedSecrets {
  const { platform } = scope;
  const plan = passwordRotationOf(scope);
  const login = appLogin(scope);
  const next = nextLogin(scope);
  if (plan === undefined || login === undefined) return { creates: [], objects: [], remove: [] };
  if (plan.enforce === true && next !== undefined)
    return { creates: [], objects: [secretOf(scope, { ...next, retiredFor: login.rotatedFor })], remove: [] };
  const isInForce = next !== undefined && next.rotatedFor === login.rotatedFor;
  const retiredFor = plan.retired === true ? login.rotatedFor : login.retiredFor;
  return {
    creates: plan.begin === undefined ? [] : [firstOf(scope, plan.begin, random)],
    objects: login.rotatedFor === undefined ? [] : [secretOf(scope, { ...login, retiredFor })],
    remove: isInForce ? [removal(scope, nextSecretName(platform))] : [],
  };
}

function firstOf(
  { platform }: Scope,
  { username, request }: { username: string; request: string },
  random: RandomString,
): GeneratedSecret {
  return {
    name: nextSecretName(platform),
    component: 'postgres',
    values: { username, password: random(PASSWORD_LENGTH) },
    annotations: { [loginAnnotations.rotatedFor]: request },
  };
}

function secretOf({ platform }: Scope, { username, password, rotatedFor, retiredFor }: AppLogin): GeneratedSecret {
  return {
    name: appSecretName(platform),
    component: 'postgres',
    values: loginValues(platform, username, password),
    annotations: {
      ...(rotatedFor === undefined ? {} : { [loginAnnotations.rotatedFor]: rotatedFor }),
      ...(retiredFor === undefined ? {} : { [loginAnnotations.retiredFor]: retiredFor }),
    },
  };
}

function removal({ platform }: Scope, name: string): Removal {
  return { ref: { resource: resources.secrets, namespace: namespaceOf(platform), name } };
}
