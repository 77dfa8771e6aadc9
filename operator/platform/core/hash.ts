import { createHash } from 'node:crypto';

/** A short name for a value, the same for the same JSON: 10 hexadecimal digits of its SHA-256. */
export function shortHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 10);
}
