import { resources } from '../../kube/resources.ts';
import type { Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import type { RandomString } from '../core/random.ts';
import { annotationsOfRotation, loginAnnotations, type RotationNotes } from '../core/rotation-journal.ts';
import type { GeneratedSecret } from '../core/secrets.ts';
import { definitions, loginValues, PASSWORD_LENGTH } from '../rabbitmq/credentials.ts';
import type { Login } from '../rabbitmq/management-http.ts';
import { nextSecretName, otherUser, rabbitmqName, secretKeys } from '../rabbitmq/names.ts';
import { passwordRotationOf } from '../rabbitmq/password/facts.ts';
import type { PasswordPlan } from '../rabbitmq/password/rotation.ts';
import { type BrokerLogin, brokerLogin, LAST_KEY, type NextLogin, nextLogin } from '../rabbitmq/password/secrets.ts';
import { tlsOf } from '../rabbitmq/tls/facts.ts';
import type { RotatedSecrets } from './rotation.ts';

/** Pure but for `random`: makes the next login of RabbitMQ up, and writes down each step. A password that was never rotated is not touched. */
export function rotatedRabbitmqSecrets(scope: Scope, random: RandomString): RotatedSecrets {
  const plan = passwordRotationOf(scope);
  const login = brokerLogin(scope);
  const next = nextLogin(scope);
  if (plan === undefined || login === undefined) return { creates: [], objects: [], remove: [] };
  const isOver = next !== undefined && next.rotatedFor === login.retiredFor;
  const name = nextSecretName(scope.platform);
  return {
    creates: plan.begin === undefined ? [] : [nextSecret(name, login, plan.begin, random)],
    objects: plan.step === undefined ? [] : secretFor(scope, plan.step, login, next, random),
    remove:
      isOver || plan.discard === true
        ? [{ ref: { resource: resources.secrets, namespace: namespaceOf(scope.platform), name } }]
        : [],
  };
}

function nextSecret(
  name: string,
  { username, password }: BrokerLogin,
  request: string,
  random: RandomString,
): GeneratedSecret {
  return {
    name,
    component: 'rabbitmq',
    values: {
      [secretKeys.username]: otherUser(username),
      [secretKeys.password]: random(PASSWORD_LENGTH),
      [LAST_KEY]: password,
    },
    annotations: { [loginAnnotations.rotatedFor]: request },
  };
}

/** The Secret of RabbitMQ at a step of the rotation; whatever a node imports when it starts has every login that is valid then. */
function secretFor(
  scope: Scope,
  step: NonNullable<PasswordPlan['step']>,
  login: BrokerLogin,
  next: NextLogin | undefined,
  random: RandomString,
): GeneratedSecret[] {
  const write = (inForce: Login, others: readonly Login[], notes: Partial<RotationNotes>): GeneratedSecret[] => {
    const { rotatedFor, retiredFor } = login;
    return [
      {
        name: rabbitmqName(scope.platform),
        component: 'rabbitmq',
        values: {
          ...loginValues(scope.platform, inForce, tlsOf(scope).use),
          [secretKeys.definitions]: definitions([inForce, ...others], random),
        },
        annotations: annotationsOfRotation({ rotatedFor, retiredFor, step: undefined, since: scope.now, ...notes }),
      },
    ];
  };
  switch (step) {
    case 'Undone':
      return write(login, [], {});
    case 'Revoking':
      return write(login, [], { step });
    case 'Done':
      return write(login, [], { retiredFor: login.rotatedFor });
    case 'Accepting':
      return next === undefined ? [] : write(login, [next], { step });
    case 'InForce': {
      if (next === undefined) return [];
      const last = { username: login.username, password: next.last };
      return write(next, [last], { step, rotatedFor: next.rotatedFor });
    }
  }
}
