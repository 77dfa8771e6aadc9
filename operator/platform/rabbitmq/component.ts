import { systemClock } from '../../runtime/clock.ts';
import type { Action, ActionContext, Component, ProbeDefinition, Scope } from '../core/component.ts';
import { secureRandomString } from '../core/random.ts';
import type { NodeAddress } from './address.ts';
import { decide } from './decide.ts';
import type { Repair } from './definitions.ts';
import { credentialsOf, loginsOf, observe, observePods } from './observe.ts';
import { loginToTry, passwordRotationOf, userToBeQuiet } from './password/facts.ts';
import { lastClientsProbe } from './password/last-clients.ts';
import { nextLoginProbe } from './password/next-login.ts';
import { withRotation } from './password/status.ts';
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
    const plan = decide(scope.platform, scope.effective, observe(scope), blockedBy);
    return withRotation(scope, { ...plan, patches: uriPatches(scope) }, passwordRotationOf(scope));
  },
  act,
};

function probes(scope: Scope): readonly ProbeDefinition<unknown>[] {
  const logins = loginsOf(scope);
  const kept = credentialsOf(scope);
  if (logins === undefined || kept === undefined) return [];
  const pods = observePods(scope).flatMap((pod) =>
    pod.host === undefined || pod.joining ? [] : [{ ...pod, host: pod.host }],
  );
  const ready = pods.filter((pod) => pod.ready).map(addressOf);
  const targets = pods.map((pod) => ({ pod: pod.name, uid: pod.uid, ...addressOf(pod) }));
  const next = loginToTry(scope);
  const quiet = userToBeQuiet(scope);
  return [
    ...targets.map((target) => nodeProbe(target, logins)),
    ...(ready.length === 0 ? [] : [clusterProbe(ready, kept)]),
    ...targets.filter(({ trust }) => trust !== undefined).map(tlsProbe),
    ...(ready.length > 0 && wantsPlainClients(scope) ? [plainClientsProbe(ready, logins)] : []),
    ...(next === undefined ? [] : targets.map((target) => nextLoginProbe(target, next))),
    ...(ready.length === 0 || quiet === undefined ? [] : [lastClientsProbe(ready, logins, quiet, systemClock)]),
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
