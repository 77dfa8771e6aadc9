import type { Action, ActionContext, Component, ProbeDefinition, Scope } from '../core/component.ts';
import { secureRandomString } from '../core/random.ts';
import type { NodeAddress } from './address.ts';
import { decide } from './decide.ts';
import type { Repair } from './definitions.ts';
import { credentialsOf, observe, observePods } from './observe.ts';
import { clusterProbe, nodeProbe } from './probe.ts';
import { repair } from './repair.ts';
import { involvesTls, wantsPlainClients } from './tls/facts.ts';
import { plainClientsProbe } from './tls/plain-clients.ts';
import { tlsProbe } from './tls/reading.ts';
import { uriPatches } from './url.ts';

/** RabbitMQ: one cluster of nodes with quorum queues, a vhost and its user. */
export const rabbitmqComponent: Component = {
  name: 'rabbitmq',
  dependsOn: ['credentials', 'certificates'],
  probes,
  plan(scope, blocked) {
    const blockedBy = involvesTls(scope) ? blocked : blocked.filter(({ component }) => component !== 'certificates');
    return { ...decide(scope.platform, scope.effective, observe(scope), blockedBy), patches: uriPatches(scope) };
  },
  act,
};

function probes(scope: Scope): readonly ProbeDefinition<unknown>[] {
  const credentials = credentialsOf(scope);
  if (credentials === undefined) return [];
  const pods = observePods(scope).flatMap((pod) =>
    pod.host === undefined || pod.joining ? [] : [{ ...pod, host: pod.host }],
  );
  const ready = pods.filter((pod) => pod.ready).map(addressOf);
  const targets = pods.map((pod) => ({ pod: pod.name, uid: pod.uid, ...addressOf(pod) }));
  return [
    ...targets.map((target) => nodeProbe(target, credentials)),
    ...(ready.length === 0 ? [] : [clusterProbe(ready, credentials)]),
    ...targets.filter(({ trust }) => trust !== undefined).map(tlsProbe),
    ...(ready.length > 0 && wantsPlainClients(scope) ? [plainClientsProbe(ready, credentials)] : []),
  ] as readonly ProbeDefinition<unknown>[];
}

function addressOf({ host, trust }: NodeAddress): NodeAddress {
  return { host, ...(trust === undefined ? {} : { trust }) };
}

async function act(action: Action, { scope, signal }: ActionContext): Promise<void> {
  const credentials = credentialsOf(scope);
  if (credentials === undefined) throw new Error('the Secret with the password is gone');
  const known = action as Repair;
  const pod = observePods(scope).find(({ host }) => host === known.host);
  await repair(known, addressOf({ ...pod, host: known.host }), credentials, secureRandomString, signal);
}
