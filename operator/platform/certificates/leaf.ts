import { createPrivateKey } from 'node:crypto';
import type { Secret } from '../../kube/resources.ts';
import type { ComponentName } from '../core/component.ts';
import type { Authority } from './authority.ts';
import { type Certificate, isSignedBy, readCertificate } from './certificate.ts';
import { LEAF_RENEWAL_MS } from './lifetimes.ts';
import { leafKeys } from './names.ts';

/** A certificate that a server needs. */
export interface WantedLeaf {
  /** Of the Secret. */
  readonly secret: string;
  readonly component: ComponentName;
  /** The first is its common name. */
  readonly dnsNames: readonly string[];
}

/** Why a leaf has to be issued (anew). */
export type LeafProblem = 'Missing' | 'Unreadable' | 'SignedByAnother' | 'NamesMissing' | 'Expiring';

/** Reads the certificate of a leaf's Secret; undefined where there is none that belongs to its key. */
export function readLeaf(secret: Secret | undefined): Certificate | undefined {
  const value = (key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8');
  const certificate = readCertificate(value(leafKeys.certificate));
  try {
    return certificate?.x509.checkPrivateKey(createPrivateKey(value(leafKeys.key))) === true ? certificate : undefined;
  } catch {
    // No key that can be read is as good as none.
    return undefined;
  }
}

/** What is wrong with a leaf; undefined when it is good for a while. What was signed by the authority before the current one is wrong. */
export function leafProblem(
  secret: Secret | undefined,
  wanted: WantedLeaf,
  { current }: Authority,
  now: Date,
): LeafProblem | undefined {
  if (secret === undefined) return 'Missing';
  const leaf = readLeaf(secret);
  if (leaf === undefined) return 'Unreadable';
  if (!isSignedBy(leaf, current)) return 'SignedByAnother';
  if (!wanted.dnsNames.every((name) => leaf.dnsNames.includes(name))) return 'NamesMissing';
  return renewalOf(leaf) <= now.getTime() ? 'Expiring' : undefined;
}

/** When a leaf is to be replaced; one whose authority cut its life short, when half of it is over. */
export function renewalOf({ notBefore, notAfter }: Certificate): number {
  const half = (notAfter.getTime() - notBefore.getTime()) / 2;
  return notAfter.getTime() - Math.min(LEAF_RENEWAL_MS, half);
}
