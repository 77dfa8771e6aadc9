import { createHash, timingSafeEqual } from 'node:crypto';

/** RabbitMQ's name for what is made here. */
export const HASHING_ALGORITHM = 'rabbit_password_hashing_sha256';

export const SALT_LENGTH = 4;

/**
 * RabbitMQ's salted hash: the salt of four bytes and the SHA-256 of salt and password, in base64.
 *
 * @param salt four ASCII characters
 * @see https://www.rabbitmq.com/docs/passwords#computing-password-hash
 */
export function hashPassword(password: string, salt: string): string {
  return saltedHash(password, Buffer.from(salt)).toString('base64');
}

/** Whether a hash, in base64, is one of this password; false for those of another algorithm. */
export function isHashOf(password: string, hash: string, algorithm: string): boolean {
  if (algorithm !== HASHING_ALGORITHM) return false;
  const found = Buffer.from(hash, 'base64');
  const wanted = saltedHash(password, found.subarray(0, SALT_LENGTH));
  return found.length === wanted.length && timingSafeEqual(found, wanted);
}

function saltedHash(password: string, salt: Buffer): Buffer {
  return Buffer.concat([salt, createHash('sha256').update(salt).update(password).digest()]);
}
