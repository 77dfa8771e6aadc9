import { hostNames } from '../../certificates/names.ts';
import { childName, namespaceOf, serviceHost } from '../../core/names.ts';
import type { Platform } from '../../core/platform.ts';
import { nodesServiceName, redisName } from '../names.ts';
import { setName } from '../sentinel/names.ts';

/** Where a server has its certificate, the key, and the bundle: under a name that stays, and under one that tells its content. */
export const TLS_DIRECTORY = '/etc/redis-tls';
export const TLS_FILES = {
  certificate: `${TLS_DIRECTORY}/tls.crt`,
  key: `${TLS_DIRECTORY}/tls.key`,
  bundle: `${TLS_DIRECTORY}/ca.crt`,
} as const;

/** Secret of the one certificate of all servers and Sentinels. */
export function tlsSecretName(platform: Platform): string {
  return childName(platform, 'redis', 'tls');
}

/** The name under which the operator asks for a server, whatever its address: every server's certificate has it. */
export function verifiedHost(platform: Platform): string {
  return serviceHost(platform, nodesServiceName(platform));
}

/**
 * Every name that a client may use: the Services short, with the namespace, and with `.svc`. Pods come and go with shards, so one name
 * stands for all; nobody believes such a name where only one part follows the asterisk, so they have no short one.
 */
export function dnsNames(platform: Platform): string[] {
  const services = [redisName(platform), nodesServiceName(platform), setName(platform, 'sentinel')];
  const pods = `*.${nodesServiceName(platform)}.${namespaceOf(platform)}`;
  return [...hostNames(platform, services), `${pods}.svc`, pods];
}
