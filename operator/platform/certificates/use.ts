import type { WantedLeaf } from './leaf.ts';

/** What a component needs of the platform's authority, and how far it has come with what it was given. */
export interface CertificateUse {
  readonly leaves: readonly WantedLeaf[];
  /** Who does not trust this authority yet, e.g. pods that have not been replaced; each is named in messages. */
  readonly distrusting: (authority: string) => readonly string[];
  /** Who does not serve with this certificate yet. */
  readonly unserved: (leaf: string) => readonly string[];
}
