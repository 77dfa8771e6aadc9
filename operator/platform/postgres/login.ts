import { shortHash } from '../core/hash.ts';

/** On the application's Secret and its pods: which address of the database they have. Absent with the first one that a platform got. */
export const DATABASE_LOGIN = 'isp.support/database-login';

/** What tells one address of the database from another, without a password. */
interface Login {
  readonly rotatedFor: string | undefined;
  readonly tls: boolean;
}

/** The annotation for an address; undefined for the first one, as long as there was no `other` since. */
export function loginRevision(login: Login, other: string | undefined): string | undefined {
  const isFirst = login.rotatedFor === undefined && !login.tls;
  return isFirst && other === undefined ? undefined : shortHash(login);
}
