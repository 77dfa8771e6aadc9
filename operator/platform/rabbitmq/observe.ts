import {
  type Job,
  type PersistentVolumeClaim,
  type Pod,
  resources,
  type Service,
  type StatefulSet,
} from '../../kube/resources.ts';
import type { Scope } from '../core/component.ts';
import type { EffectiveRabbitmq, Storage } from '../core/effective.ts';
import { namespaceOf } from '../core/names.ts';
import { isPodReady, ordinalOf, whyNotReady } from '../core/pods.ts';
import { isOutdated, newestRevision } from '../core/revision.ts';
import { secretValue } from '../core/secrets.ts';
import { type ClusterState, clusterState } from './cluster.ts';
import type { Logins } from './found-definitions.ts';
import type { Login } from './management-http.ts';
import { type MembershipJob, readMembershipJob } from './membership-job.ts';
import {
  adminSecretName,
  JOIN_CONTAINER,
  LEFT_ANNOTATION,
  MEMBER_ANNOTATION,
  rabbitmqName,
  secretKeys,
  USER,
} from './names.ts';
import { brokerLogin, nextLogin, otherTurn } from './password/secrets.ts';
import { CLUSTER_PROBE, type ClusterResult, type Credentials, type NodeAnswer, nodeProbeName } from './probe.ts';
import { isOpen } from './services.ts';
import { involvesTls, tlsOf } from './tls/facts.ts';
import type { TlsPhases } from './tls/phases.ts';
import { type NodeTrust, trustOf } from './tls/trust.ts';

/** A pod and what its node last said. */
export interface RabbitmqPod {
  readonly name: string;
  readonly uid: string;
  readonly ordinal: number;
  /** Absent until the pod has an address. */
  readonly host?: string;
  /** Present where its pod has TLS, which is spoken then. */
  readonly trust?: NodeTrust;
  readonly ready: boolean;
  readonly deleting: boolean;
  /** In words for a person; absent for a pod that is ready. */
  readonly notReady?: string;
  /** Its volume is empty, and it waits until it may join or found a cluster. */
  readonly joining: boolean;
  /** Made from an earlier template than the newest. */
  readonly outdated: boolean;
  /** When the container of its node was started; absent while it does not run. */
  readonly startedAt?: Date;
  /** Since when the kubelet has not found it serving; absent for a pod that is ready. */
  readonly unreadySince?: Date;
  /** Absent until it was asked. */
  readonly answer?: NodeAnswer;
}

/** A volume. */
export interface Claim {
  readonly name: string;
  readonly uid: string;
  readonly ordinal: number;
  /** Its node has been a member of the cluster. */
  readonly member: boolean;
  /** When its node was struck off the list of the cluster, of which its data knows nothing; absent for all others. */
  readonly left?: string;
}

export interface LiveSet {
  readonly replicas: number;
  readonly storage?: Storage;
  /** Pods of an earlier template are still being replaced. */
  readonly rolling: boolean;
}

export interface Observed {
  readonly wanted: EffectiveRabbitmq;
  readonly live?: LiveSet;
  /** By ordinal. */
  readonly claims: readonly Claim[];
  /** By ordinal. */
  readonly pods: readonly RabbitmqPod[];
  /** Absent until the cluster was asked, or when no node answered. */
  readonly cluster?: ClusterResult;
  /** Jobs that change who belongs to the cluster. */
  readonly jobs: readonly MembershipJob[];
  readonly hasCredentials: boolean;
  /** Who logs in for the application now. */
  readonly user: string;
  /** Clients have been let in, which happens once all nodes have come together. */
  readonly open: boolean;
  /** Where TLS stands; absent where there is none and none is wanted. */
  readonly tls?: TlsPhases;
  readonly now: Date;
}

export function observe(scope: Scope): Observed {
  const { platform, children, probes, effective } = scope;
  const [namespace, name] = [namespaceOf(platform), rabbitmqName(platform)];
  const set = children.get<StatefulSet>({ resource: resources.statefulSets, namespace, name });
  const service = children.get<Service>({ resource: resources.services, namespace, name });
  const claims = children.list<PersistentVolumeClaim>(resources.persistentVolumeClaims, 'rabbitmq').flatMap(readClaim);
  const cluster = probes.get<ClusterResult>(CLUSTER_PROBE)?.value;
  const pods = observePods(scope);
  return {
    wanted: effective.rabbitmq,
    ...(set === undefined ? {} : { live: readSet(set, pods) }),
    claims: claims.toSorted((a, b) => a.ordinal - b.ordinal),
    pods,
    ...(cluster === undefined ? {} : { cluster }),
    jobs: children.list<Job>(resources.jobs, 'rabbitmq').flatMap(readMembershipJob),
    hasCredentials: loginsOf(scope) !== undefined,
    user: brokerLogin(scope)?.username ?? USER,
    open: service !== undefined && isOpen(service),
    ...(involvesTls(scope) ? { tls: tlsOf(scope) } : {}),
    now: scope.now,
  };
}

/** The platform's RabbitMQ pods by ordinal. */
export function observePods(scope: Scope): RabbitmqPod[] {
  const [namespace, name] = [namespaceOf(scope.platform), rabbitmqName(scope.platform)];
  const newest = newestRevision(scope.children.get<StatefulSet>({ resource: resources.statefulSets, namespace, name }));
  return scope.children
    .list<Pod>(resources.pods, 'rabbitmq')
    .flatMap((pod) => readPod(scope, pod, newest))
    .toSorted((a, b) => a.ordinal - b.ordinal);
}

/** What the nodes say together. */
export function stateOf(pods: readonly RabbitmqPod[]): ClusterState {
  return clusterState(
    pods.flatMap(({ name, deleting, answer }) => (deleting || answer === undefined ? [] : [{ name, answer }])),
  );
}

/** What the operator logs in with; undefined while there is no Secret. */
export function loginsOf(scope: Scope): Logins | undefined {
  const first = loginOf(scope, rabbitmqName(scope.platform));
  const vhost = secretValue(scope, rabbitmqName(scope.platform), secretKeys.vhost);
  if (first === undefined || vhost === undefined) return undefined;
  const second = loginOf(scope, adminSecretName(scope.platform));
  return { ...first, vhost, ...(second === undefined ? {} : { second }) };
}

/** The same, with the login that is kept beside; undefined while there is no Secret. */
export function credentialsOf(scope: Scope): Credentials | undefined {
  const logins = loginsOf(scope);
  const login = brokerLogin(scope);
  if (logins === undefined || login === undefined) return undefined;
  const other = otherTurn(login, nextLogin(scope));
  return { ...logins, ...(other === undefined ? {} : { other }) };
}

function loginOf(scope: Scope, secret: string): Login | undefined {
  const username = secretValue(scope, secret, secretKeys.username);
  const password = secretValue(scope, secret, secretKeys.password);
  return username === undefined || password === undefined ? undefined : { username, password };
}

function readSet(set: StatefulSet, pods: readonly RabbitmqPod[]): LiveSet {
  const replicas = set.spec?.replicas ?? 0;
  const claim = set.spec?.volumeClaimTemplates?.[0]?.spec;
  const size = claim?.resources?.requests?.['storage'];
  const storageClassName = claim?.storageClassName;
  return {
    replicas,
    rolling: newestRevision(set) === undefined || pods.some(({ outdated }) => outdated),
    ...(size === undefined
      ? {}
      : { storage: { size, ...(storageClassName === undefined ? {} : { storageClassName }) } }),
  };
}

function readClaim(claim: PersistentVolumeClaim): Claim[] {
  const { name, uid, annotations } = claim.metadata;
  const ordinal = Number(/-(\d+)$/.exec(name)?.[1] ?? Number.NaN);
  if (uid === undefined || Number.isNaN(ordinal)) return [];
  const left = annotations?.[LEFT_ANNOTATION];
  const member = annotations?.[MEMBER_ANNOTATION] === 'true';
  return [{ name, uid, ordinal, member, ...(left === undefined ? {} : { left }) }];
}

function readPod(scope: Scope, pod: Pod, newest: string | undefined): RabbitmqPod[] {
  const { name, uid, deletionTimestamp } = pod.metadata;
  const ordinal = ordinalOf(pod);
  if (uid === undefined || Number.isNaN(ordinal)) return [];
  const host = pod.status?.podIP;
  const notReady = whyNotReady(pod);
  const startedAt = pod.status?.containerStatuses?.find((one) => one.name === 'rabbitmq')?.state?.running?.startedAt;
  const unready = pod.status?.conditions?.find(({ type, status }) => type === 'Ready' && status !== 'True');
  const answer = scope.probes.get<NodeAnswer>(nodeProbeName(name))?.value;
  const trust = trustOf(scope, pod);
  return [
    {
      name,
      uid,
      ordinal,
      ready: isPodReady(pod),
      deleting: deletionTimestamp !== undefined,
      joining: isJoining(pod),
      outdated: isOutdated(pod, newest),
      ...(host === undefined ? {} : { host }),
      ...(trust === undefined ? {} : { trust }),
      ...(startedAt === undefined ? {} : { startedAt: new Date(startedAt) }),
      ...(notReady === undefined ? {} : { notReady }),
      ...(unready?.lastTransitionTime === undefined ? {} : { unreadySince: new Date(unready.lastTransitionTime) }),
      ...(answer?.uid === uid ? { answer } : {}),
    },
  ];
}

function isJoining(pod: Pod): boolean {
  const status = pod.status?.initContainerStatuses?.find(({ name }) => name === JOIN_CONTAINER);
  return status?.state?.running !== undefined;
}
