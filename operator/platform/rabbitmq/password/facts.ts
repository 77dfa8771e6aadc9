import { resources, type StatefulSet } from '../../../kube/resources.ts';
import type { Scope } from '../../core/component.ts';
import { annotations, childName, namespaceOf } from '../../core/names.ts';
import { secretValue } from '../../core/secrets.ts';
import { applicationPods } from '../../postgres/tls/facts.ts';
import { type FoundTurn, turnId } from '../found-definitions.ts';
import type { Login } from '../management-http.ts';
import { otherUser, rabbitmqName } from '../names.ts';
import { observePods, type RabbitmqPod, stateOf } from '../observe.ts';
import { CLUSTER_PROBE, type ClusterResult } from '../probe.ts';
import { BROKER_LOGIN, brokerLoginAnnotation } from '../tls/facts.ts';
import { brokerUrl } from '../url.ts';
import { LAST_CLIENTS_PROBE, type LastClients } from './last-clients.ts';
import { type NextLoginAnswer, nextLoginProbeName } from './next-login.ts';
import { type PasswordNode, type PasswordPlan, passwordPlan } from './rotation.ts';
import { brokerLogin, nextLogin, otherTurn, stepOf } from './secrets.ts';

/** How to go on with what the annotation `isp.support/rotate-rabbitmq-password` asks for; undefined without a login. */
export function passwordRotationOf(scope: Scope): PasswordPlan | undefined {
  const { platform, children, probes, now } = scope;
  const login = brokerLogin(scope);
  if (login === undefined) return undefined;
  const request = platform.metadata.annotations?.[annotations.rotateRabbitmqPassword];
  const next = nextLogin(scope);
  // Nothing was ever asked for, and nothing is.
  if (request === undefined && next === undefined && login.rotatedFor === undefined && login.step === undefined)
    return { phase: 'Idle' };
  const pods = observePods(scope);
  const { running } = stateOf(pods);
  const ref = { resource: resources.statefulSets, namespace: namespaceOf(platform), name: rabbitmqName(platform) };
  const wanted = children.get<StatefulSet>(ref)?.spec?.replicas ?? 0;
  return passwordPlan({
    now,
    request,
    login,
    next,
    nodes: pods.map((pod) => nodeOf(scope, pod, running, next)),
    complete: pods.length === wanted && pods.every(({ deleting }) => !deleting),
    other: otherState(scope),
    clients: probes.get<LastClients>(LAST_CLIENTS_PROBE)?.value,
    followed: isFollowed(scope),
  });
}

/** The login that every node is to be tried with: only when it is to work, so that none comes to the log. */
export function loginToTry(scope: Scope): Login | undefined {
  const login = brokerLogin(scope);
  const next = nextLogin(scope);
  return login !== undefined && stepOf(login) === 'Accepting' && otherState(scope) === 'valid' ? next : undefined;
}

/** The user of whose connections it matters that there are none; undefined while it does not. */
export function userToBeQuiet(scope: Scope): string | undefined {
  const login = brokerLogin(scope);
  const step = login === undefined ? undefined : stepOf(login);
  return login === undefined || (step !== 'InForce' && step !== 'Revoking') ? undefined : otherUser(login.username);
}

function nodeOf(
  { probes }: Scope,
  { name, uid }: RabbitmqPod,
  running: readonly string[],
  next: Login | undefined,
): PasswordNode {
  const tried = probes.get<NextLoginAnswer>(nextLoginProbeName(name))?.value;
  const admits = tried?.uid === uid && next !== undefined && tried.id === turnId(next) && tried.problem === undefined;
  return { name, runs: running.includes(name), admits };
}

/** An answer to another question than the one that is asked now says nothing. */
function otherState(scope: Scope): FoundTurn['state'] | undefined {
  const login = brokerLogin(scope);
  const other = login === undefined ? undefined : otherTurn(login, nextLogin(scope));
  const found = scope.probes.get<ClusterResult>(CLUSTER_PROBE)?.value?.other;
  return other !== undefined && found?.id === turnId(other) ? found.state : undefined;
}

/** Whether the application's address has the login in force, and every pod of the application was made with it. */
function isFollowed(scope: Scope): boolean {
  const url = brokerUrl(scope);
  if (url === undefined || url !== secretValue(scope, childName(scope.platform, 'app'), 'CELERY_BROKER_URL'))
    return false;
  const login = brokerLoginAnnotation(scope);
  return applicationPods(scope).every(({ metadata }) => metadata.annotations?.[BROKER_LOGIN] === login);
}
