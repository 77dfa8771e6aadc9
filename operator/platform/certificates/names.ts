import { childName, namespaceOf } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';

/** Keys of the authority's Secret: who signs, who is trusted beside it. */
export const authorityKeys = {
  certificate: 'tls.crt',
  key: 'tls.key',
  nextCertificate: 'next.crt',
  nextKey: 'next.key',
  previousCertificate: 'previous.crt',
} as const;

/** Keys of a leaf's Secret; `ca.crt` has who signed it, and then who else was trusted at that time. */
export const leafKeys = { certificate: 'tls.crt', key: 'tls.key', authorities: 'ca.crt' } as const;

/** Key of the bundle's ConfigMap, and the name of the file where it is mounted. */
export const BUNDLE_KEY = 'ca.crt';
/** Where the application's pods have the bundle. */
export const BUNDLE_PATH = '/etc/isp-support/ca';
export const BUNDLE_FILE = `${BUNDLE_PATH}/${BUNDLE_KEY}`;

export const certificateAnnotations = {
  /** On the authority's Secret: the request that its last rotation answered. */
  rotatedFor: 'isp.support/rotated-for',
  /** On the authority's Secret: when its rotation took its last step. */
  stepSince: 'isp.support/rotation-step-since',
  /** On the bundle and on the pods that mount it: the newest authority in it. */
  newestAuthority: 'isp.support/newest-authority',
} as const;

/** Secret with the platform's own authority: certificate and key. */
export function authoritySecretName(platform: Platform): string {
  return childName(platform, 'ca');
}

/** ConfigMap with the certificates of every authority that clients are to trust. */
export function bundleName(platform: Platform): string {
  return childName(platform, 'ca');
}

/** What clients may call these Services: with `.svc`, with the namespace, and short; and what they are to whoever forwards a port. */
export function hostNames(platform: Platform, services: readonly string[]): string[] {
  const namespace = namespaceOf(platform);
  return [...services.flatMap((name) => [`${name}.${namespace}.svc`, `${name}.${namespace}`, name]), 'localhost'];
}
