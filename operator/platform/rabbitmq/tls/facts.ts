import { type Pod, resources, type Secret, type StatefulSet } from '../../../kube/resources.ts';
import { certificateAnnotations, leafKeys } from '../../certificates/names.ts';
import type { Scope } from '../../core/component.ts';
import { childName, namespaceOf } from '../../core/names.ts';
import { secretValue } from '../../core/secrets.ts';
import { applicationPods } from '../../postgres/tls/facts.ts';
import { rabbitmqName } from '../names.ts';
import { listeningOf, tlsSecretName } from './names.ts';
import { type TlsFacts, type TlsPhases, tlsPhases } from './phases.ts';
import { PLAIN_CLIENTS_PROBE, type PlainClients } from './plain-clients.ts';
import { type TlsReading, tlsProbeName } from './reading.ts';

/**
 * On the application's Secret and its pods: which address of the broker they have, counted. Absent with the first one that a platform got.
 */
export const BROKER_LOGIN = 'isp.support/broker-login';

/** Where TLS stands and goes. */
export function tlsOf(scope: Scope): TlsPhases {
  return tlsPhases(tlsFacts(scope));
}

/** Whether any pod has a certificate, or will: also the last of those that are replaced by some without. */
export function involvesTls(scope: Scope): boolean {
  const isWanted = scope.effective.rabbitmq.tls.enabled || tlsOf(scope).listen !== 'plain';
  return isWanted || nodePods(scope).some(({ metadata }) => listeningOf(metadata) !== 'plain');
}

/** Whether it matters who is connected without TLS: until the template says that nobody may be, for the answer is what that is decided on. */
export function wantsPlainClients(scope: Scope): boolean {
  const facts = tlsFacts(scope);
  return facts.wanted && facts.template === 'both' && facts.used;
}

/** The pods of nodes that run or will. */
export function nodePods({ children }: Scope): readonly Pod[] {
  return children
    .list<Pod>(resources.pods, 'rabbitmq')
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

/** What a pod showed last; undefined when it has not been asked, or did not answer. */
export function tlsReadingOf({ probes }: Scope, { metadata, status }: Pod): TlsReading | undefined {
  const found = probes.get<TlsReading>(tlsProbeName(metadata.name))?.value;
  return found?.uid === metadata.uid && found?.host === status?.podIP ? found : undefined;
}

/** Which address of the broker the application is to use; undefined while it never was another than the first. */
export function brokerLoginAnnotation({ children, platform }: Scope): string | undefined {
  const ref = { resource: resources.secrets, namespace: namespaceOf(platform), name: childName(platform, 'app') };
  return children.get<Secret>(ref)?.metadata.annotations?.[BROKER_LOGIN];
}

/** What is needed only where there is TLS, or is to be, is found out when it is asked for: this is done many times for each platform. */
function tlsFacts(scope: Scope): TlsFacts {
  const { platform, effective, children, probes } = scope;
  const [namespace, name] = [namespaceOf(platform), rabbitmqName(platform)];
  const set = children.get<StatefulSet>({ resource: resources.statefulSets, namespace, name });
  const url = () => secretValue(scope, childName(platform, 'app'), 'CELERY_BROKER_URL');
  const everyPod = (holds: (pod: Pod) => boolean) => applicationPods(scope).every(holds);
  return {
    wanted: effective.rabbitmq.tls.enabled,
    get issued() {
      return secretValue(scope, tlsSecretName(platform), leafKeys.certificate) !== undefined;
    },
    template: set === undefined ? undefined : listeningOf(set.metadata),
    nodes: nodePods(scope).map((pod) => ({
      name: pod.metadata.name,
      listens: listeningOf(pod.metadata),
      serves: tlsReadingOf(scope, pod)?.presented !== undefined,
    })),
    get published() {
      return url() !== undefined;
    },
    get used() {
      return url()?.startsWith('amqps:') ?? false;
    },
    get mounted() {
      const annotation = certificateAnnotations.newestAuthority;
      return everyPod(({ metadata }) => metadata.annotations?.[annotation] !== undefined);
    },
    get current() {
      const login = brokerLoginAnnotation(scope);
      return everyPod(({ metadata }) => metadata.annotations?.[BROKER_LOGIN] === login);
    },
    plainClients: probes.get<PlainClients>(PLAIN_CLIENTS_PROBE)?.value?.names,
  };
}
