import { hostNames, leafKeys } from '../../certificates/names.ts';
import { childName } from '../../core/names.ts';
import type { Platform } from '../../core/platform.ts';
import { POOLER_KINDS, poolerName } from '../names.ts';

/** Where a pooler's pod has its certificate. */
export const TLS_FOLDER = '/etc/pgbouncer/tls';
export const CERTIFICATE_FILE = `${TLS_FOLDER}/${leafKeys.certificate}`;
export const KEY_FILE = `${TLS_FOLDER}/${leafKeys.key}`;

/** On a pooler's pod: when it was last told to read its files anew. */
export const RELOADED_ANNOTATION = 'isp.support/reloaded-at';

/** Secret of the poolers' certificate. */
export function poolerTlsSecretName(platform: Platform): string {
  return childName(platform, 'postgres', 'pooler', 'tls');
}

/** One certificate for both. */
export function poolerDnsNames(platform: Platform): string[] {
  return hostNames(
    platform,
    POOLER_KINDS.map((kind) => poolerName(platform, kind)),
  );
}
