import type { Secret } from '../../kube/resources.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import { authorityKeys, certificateAnnotations } from './names.ts';

/** A certificate with its private key (PEM, PKCS #8). */
export interface KeyPair {
  readonly certificate: Certificate;
  readonly key: string;
}

/** The platform's authority as its Secret has it. While `next` is there it is trusted and does not sign; `previous` no longer signs. */
export interface Authority {
  readonly current: Certificate;
  /** Undefined when the key was lost: then nothing can be signed before `next` takes over. */
  readonly key: string | undefined;
  readonly next: KeyPair | undefined;
  readonly previous: Certificate | undefined;
  readonly rotatedFor: string | undefined;
  /** When the rotation took its last step. */
  readonly stepSince: Date | undefined;
  readonly resourceVersion: string;
}

/** Reads the authority's Secret; undefined when it has no certificate that can be read. */
export function readAuthority(secret: Secret): Authority | undefined {
  const value = (key: string): string | undefined => {
    const encoded = secret.data?.[key];
    return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
  };
  const current = readCertificate(value(authorityKeys.certificate));
  if (current === undefined) return undefined;
  const next = readCertificate(value(authorityKeys.nextCertificate));
  const nextKey = value(authorityKeys.nextKey);
  const { annotations = {}, resourceVersion = '' } = secret.metadata;
  const since = annotations[certificateAnnotations.stepSince];
  return {
    current,
    key: value(authorityKeys.key),
    next: next === undefined || nextKey === undefined ? undefined : { certificate: next, key: nextKey },
    previous: readCertificate(value(authorityKeys.previousCertificate)),
    rotatedFor: annotations[certificateAnnotations.rotatedFor],
    stepSince: since === undefined ? undefined : new Date(since),
    resourceVersion,
  };
}

/** Everyone that clients are to trust now. */
export function trusted({ current, next, previous }: Authority): readonly Certificate[] {
  return [current, ...(next === undefined ? [] : [next.certificate]), ...(previous === undefined ? [] : [previous])];
}

/** The authority that signs, or will. */
export function newest({ current, next }: Authority): Certificate {
  return next?.certificate ?? current;
}
