import { type PersistentVolumeClaim, resources, type Secret, type StatefulSet } from '../../kube/resources.ts';
import type { Component, ComponentName, ComponentPlan, ConditionPlan, Scope } from '../core/component.ts';
import { childName, commonLabels, namespaceOf } from '../core/names.ts';
import type { RandomString } from '../core/random.ts';
import { encodeSecret, type GeneratedSecret } from '../core/secrets.ts';
import { applicationSecret, generatedApplicationSecret } from './application.ts';
import { generateSecrets } from './generated.ts';
import { rotatedRabbitmqSecrets } from './rabbitmq-rotation.ts';
import { rotatedRedisSecrets } from './redis-rotation.ts';
import { rotatedSecrets } from './rotation.ts';

/**
 * The platform's passwords: generated once, never again over data that is locked with the old ones. Whoever deletes one of these
 * Secrets under a running platform is told, instead of being locked out.
 */
export function credentialsComponent(random: RandomString): Component {
  return { name: 'credentials', dependsOn: [], probes: () => [], plan: (scope) => plan(scope, random) };
}

function plan(scope: Scope, random: RandomString): ComponentPlan {
  const generated = generateSecrets(scope.platform, random);
  const missing = generated.filter((secret) => liveSecret(scope, secret.name) === undefined);
  // One that is new to a platform which runs keeps nobody waiting.
  const needed = missing.filter(({ renewable }) => renewable !== true);
  const lost = needed.filter((secret) => isInUse(scope, secret.component));
  const incomplete = generated.filter((secret) => missingKeys(scope, secret).length > 0);
  const application = applicationSecret(scope);
  const applicationExists = liveSecret(scope, childName(scope.platform, 'app')) !== undefined;
  const creates = missing.filter((secret) => !lost.includes(secret)).map((secret) => secretObject(scope, secret));
  const first =
    application === undefined || applicationExists ? undefined : generatedApplicationSecret(application, random);
  const rotated = [rotatedSecrets, rotatedRedisSecrets, rotatedRabbitmqSecrets].map((rotate) => rotate(scope, random));
  return {
    creates: [
      ...creates,
      ...rotated.flatMap((one) => one.creates).map((secret) => secretObject(scope, secret)),
      ...(first === undefined ? [] : [secretObject(scope, first)]),
    ],
    objects: [
      ...rotated.flatMap(({ objects }) => objects).map((secret) => secretObject(scope, secret)),
      ...(application === undefined || !applicationExists ? [] : [secretObject(scope, application)]),
    ],
    remove: rotated.flatMap(({ remove }) => remove),
    condition: conditionOf(scope, lost, incomplete, needed.length === 0 && applicationExists),
  };
}

function conditionOf(
  scope: Scope,
  lost: readonly GeneratedSecret[],
  incomplete: readonly GeneratedSecret[],
  complete: boolean,
): ConditionPlan {
  if (lost.length > 0)
    return {
      status: 'False',
      reason: 'Lost',
      message: `Secret ${names(lost)} is gone while the data it unlocks is in use; put it back from a backup or from the environment of a running pod: a new password would lock everybody out`,
    };
  const [broken] = incomplete;
  if (broken !== undefined)
    return {
      status: 'False',
      reason: 'Incomplete',
      message: `Secret ${broken.name} lacks ${missingKeys(scope, broken).join(', ')}; put it back`,
    };
  if (!complete)
    return { status: 'False', reason: 'Creating', message: 'the credentials are being made', progressing: true };
  return { status: 'True', reason: 'Present', message: 'every Secret has its keys' };
}

function names(secrets: readonly GeneratedSecret[]): string {
  return secrets.map(({ name }) => name).join(', ');
}

function liveSecret({ children, platform }: Scope, name: string): Secret | undefined {
  return children.get<Secret>({ resource: resources.secrets, namespace: namespaceOf(platform), name });
}

function missingKeys(scope: Scope, secret: GeneratedSecret): string[] {
  const live = liveSecret(scope, secret.name);
  return live === undefined ? [] : Object.keys(secret.values).filter((key) => live.data?.[key] === undefined);
}

/** Running on its volumes. Volumes alone, kept from a platform of the same name, take the new password when they start. */
function isInUse({ children }: Scope, component: ComponentName): boolean {
  const claims = children.list<PersistentVolumeClaim>(resources.persistentVolumeClaims, component);
  const sets = children.list<StatefulSet>(resources.statefulSets, component);
  return claims.length > 0 && sets.length > 0;
}

function secretObject({ platform }: Scope, { name, component, values, annotations }: GeneratedSecret): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      labels: commonLabels(platform, component),
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
    },
    type: 'Opaque',
    data: encodeSecret(values),
  };
}
