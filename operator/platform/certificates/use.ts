import type { WantedLeaf } from './leaf.ts';

/** What a component needs of the platform's authority, and how far it has come with what it was given. */
export interface CertificateUse {
  readonly leaves: readonly WantedLeaf[];
  /** The bundle is to be there under a name that tells its content as well, for who can be asked for the name of the file that it has read, and for nothing else. */
  readonly namesBundle?: true;
  /** Who does not trust this authority yet, e.g. pods that have not been replaced; each is named in messages. */
  readonly distrusting: (authority: string) => readonly string[];
  /** Who does not serve with this certificate yet. */
  readonly unserved: (leaf: string) => readonly string[];
}
