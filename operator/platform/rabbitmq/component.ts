import type { Action, ActionContext, Component, ProbeDefinition, Scope } from '../core/component.ts';
import { secureRandomString } from '../core/random.ts';
import { decide } from './decide.ts';
import type { Repair } from './definitions.ts';
import { credentialsOf, observe, observePods } from './observe.ts';
import { clusterProbe, nodeProbe } from './probe.ts';
import { repair } from './repair.ts';

/** RabbitMQ: one cluster of nodes with quorum queues, a vhost and its user. */
export const rabbitmqComponent: Component = {
  name: 'rabbitmq',
  dependsOn: ['credentials'],
  probes,
  plan: (scope, blockedBy) => decide(scope.platform, scope.effective, observe(scope), blockedBy),
  act,
};

function probes(scope: Scope): readonly ProbeDefinition<unknown>[] {
  const credentials = credentialsOf(scope);
  if (credentials === undefined) return [];
  const pods = observePods(scope).flatMap((pod) =>
    pod.host === undefined || pod.joining ? [] : [{ ...pod, host: pod.host }],
  );
  const ready = pods.filter((pod) => pod.ready).map(({ host }) => host);
  return [
    ...pods.map(({ name, uid, host }) => nodeProbe({ pod: name, uid, host }, credentials)),
    ...(ready.length === 0 ? [] : [clusterProbe(ready, credentials)]),
  ] as readonly ProbeDefinition<unknown>[];
}

async function act(action: Action, { scope, signal }: ActionContext): Promise<void> {
  const credentials = credentialsOf(scope);
  if (credentials === undefined) throw new Error('the Secret with the password is gone');
  await repair(action as Repair, credentials, secureRandomString, signal);
}
