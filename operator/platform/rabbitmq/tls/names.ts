import { hostNames } from '../../certificates/names.ts';
import { childName } from '../../core/names.ts';
import type { Platform } from '../../core/platform.ts';
import { TLS_ANNOTATION, TLS_OFFERED } from '../../postgres/tls/names.ts';
import { nodesServiceName, podName, rabbitmqName } from '../names.ts';

export const AMQPS_PORT = 5671;
export const MANAGEMENT_TLS_PORT = 15671;

/** How a node listens for clients: without TLS, with and without, or with it alone. */
export type Listening = 'plain' | 'both' | 'tls';

/** Value of the annotation on pods, and on the StatefulSet for its newest template. */
const DEMANDED = 'only';

/** Where a node has its certificate and key. */
export const TLS_DIRECTORY = '/etc/isp-rabbitmq/tls';

/** As many nodes as the schema allows: a certificate that names them all serves a node that is added later. */
const MOST_NODES = 5;

/** Secret of the one certificate of all nodes. */
export function tlsSecretName(platform: Platform): string {
  return childName(platform, 'rabbitmq', 'tls');
}

/** Every name that a client may use for a node. */
export function dnsNames(platform: Platform): string[] {
  const nodes = nodesServiceName(platform);
  const pods = Array.from({ length: MOST_NODES }, (_, ordinal) => `${podName(platform, ordinal)}.${nodes}`);
  return hostNames(platform, [rabbitmqName(platform), nodes, ...pods]);
}

export function tlsAnnotations(listening: Listening): Record<string, string> {
  return listening === 'plain' ? {} : { [TLS_ANNOTATION]: listening === 'tls' ? DEMANDED : TLS_OFFERED };
}

/** How a pod listens, or those of a StatefulSet's newest template will. */
export function listeningOf({ annotations }: { readonly annotations?: Record<string, string> }): Listening {
  const value = annotations?.[TLS_ANNOTATION];
  if (value === DEMANDED) return 'tls';
  return value === TLS_OFFERED ? 'both' : 'plain';
}
