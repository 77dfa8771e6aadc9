import type { Pod } from '../../../kube/resources.ts';
import { hostNames } from '../../certificates/names.ts';
import { childName, namespaceOf } from '../../core/names.ts';
import type { Platform } from '../../core/platform.ts';
import { clusterName, primaryServiceName, replicasServiceName } from '../names.ts';

/** On the pods of members, and of poolers, that offer TLS. */
export const TLS_ANNOTATION = 'isp.support/tls';
export const TLS_OFFERED = 'on';

/** Where a member has its certificate, its key and the bundle. */
export const TLS_PATH = '/etc/postgres-tls';
export const TLS_FILES = {
  certificate: `${TLS_PATH}/tls.crt`,
  key: `${TLS_PATH}/tls.key`,
  bundle: `${TLS_PATH}/ca.crt`,
} as const;

/** As many members as the schema allows: a certificate that names them all serves a member that is added later. */
const MOST_MEMBERS = 5;

/** Secret of the members' certificate. */
export function tlsSecretName(platform: Platform): string {
  return childName(platform, 'postgres', 'tls');
}

/** Name under which the operator asks for a member, whatever address it has. */
export function memberHost(platform: Platform, member: string): string {
  return `${member}.${clusterName(platform)}.${namespaceOf(platform)}.svc`;
}

export function offersTls({ metadata }: Pod): boolean {
  return metadata.annotations?.[TLS_ANNOTATION] === TLS_OFFERED;
}

/** Every name that a client may use for a member. */
export function dnsNames(platform: Platform): string[] {
  const cluster = clusterName(platform);
  const members = Array.from({ length: MOST_MEMBERS }, (_, ordinal) => `${cluster}-${ordinal}.${cluster}`);
  const hosts = [primaryServiceName(platform), replicasServiceName(platform), cluster, ...members];
  return hostNames(platform, hosts);
}
