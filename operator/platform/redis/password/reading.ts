import { createHash } from 'node:crypto';
import { isReply, type RedisClient } from '../client.ts';
import { parsePairs, problemOf } from '../probe.ts';
import type { Part } from '../sentinel/names.ts';
import type { Answer } from '../sentinel/views.ts';

/** Which passwords a server or a Sentinel has, none of them as such. */
export interface PasswordReading {
  readonly kind: 'view';
  /** SHA-256 of each that it takes, sorted, as the engine itself shows them. */
  readonly accepts: readonly string[];
  /** SHA-256 of the one that it logs in with to others of its kind; that of nothing where it was not told. */
  readonly offers: string;
}

/** As `ACL GETUSER` shows a password: SHA-256 in hexadecimal digits. */
export function passwordHash(password: string): string {
  return createHash('sha256').update(password).digest('hex');
}

/** Asks a server or a Sentinel once. Never throws for what is a finding. */
export async function askPasswords(
  client: RedisClient,
  part: Part,
  signal: AbortSignal,
): Promise<Answer<PasswordReading>> {
  try {
    const [user, offered] = await client.send(
      [
        ['ACL', 'GETUSER', 'default'],
        part === 'server' ? ['CONFIG', 'GET', 'masterauth'] : ['SENTINEL', 'CONFIG', 'GET', 'sentinel-pass'],
      ],
      signal,
    );
    const refused = [user, offered].find(isReply);
    if (refused !== undefined) throw refused;
    const [password = ''] = Object.values(parsePairs(offered));
    return { kind: 'view', accepts: hashesIn(user), offers: passwordHash(password) };
  } catch (error) {
    return signal.aborted ? { kind: 'problem', problem: 'timeout', message: 'does not answer' } : problemOf(error);
  }
}

function hashesIn(reply: unknown): string[] {
  const fields: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const hashes = fields[fields.indexOf('passwords') + 1];
  return Array.isArray(hashes) ? hashes.map(String).toSorted() : [];
}
