import { createHash } from 'node:crypto';
import { serviceHost } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import type { RandomString } from '../core/random.ts';
import { AMQP_PORT, rabbitmqName, secretKeys, USER, VHOST } from './names.ts';

/** A Secret with fresh values as plain strings. */
export interface RabbitmqSecret {
  readonly name: string;
  readonly component: 'rabbitmq';
  readonly values: Readonly<Record<string, string>>;
}

const PASSWORD_LENGTH = 32;
const COOKIE_LENGTH = 40;
const SALT_LENGTH = 4;

/**
 * The Secret `<platform>-rabbitmq`. RabbitMQ reads the definitions itself, so that the password is in neither a ConfigMap nor an
 * environment.
 *
 * @param random gives letters and digits only, so nothing needs quoting.
 */
export function rabbitmqSecret(platform: Platform, random: RandomString): RabbitmqSecret {
  const name = rabbitmqName(platform);
  const password = random(PASSWORD_LENGTH);
  return {
    name,
    component: 'rabbitmq',
    values: {
      [secretKeys.username]: USER,
      [secretKeys.password]: password,
      [secretKeys.vhost]: VHOST,
      [secretKeys.uri]: `amqp://${USER}:${password}@${serviceHost(platform, name)}:${AMQP_PORT}/${VHOST}`,
      [secretKeys.cookie]: random(COOKIE_LENGTH),
      [secretKeys.definitions]: definitions(password, random(SALT_LENGTH)),
    },
  };
}

/**
 * What every node imports whenever it starts: a volume kept from an earlier platform has the user with the password of that time.
 * RabbitMQ makes no default user when it is given definitions, so the well-known `guest` never exists.
 */
function definitions(password: string, salt: string): string {
  const passwordHash = hashPassword(password, salt);
  return JSON.stringify({
    // A type beside the metadata instead of in it is ignored.
    vhosts: [{ name: VHOST, metadata: { default_queue_type: 'quorum' } }],
    users: [
      {
        name: USER,
        password_hash: passwordHash,
        hashing_algorithm: 'rabbit_password_hashing_sha256',
        // The operator watches and repairs as this user, through the management API.
        tags: 'administrator',
      },
    ],
    permissions: [{ user: USER, vhost: VHOST, configure: '.*', write: '.*', read: '.*' }],
  });
}

/** RabbitMQ's salted hash: the salt of four bytes and the SHA-256 of salt and password, in base64. */
function hashPassword(password: string, salt: string): string {
  const bytes = Buffer.from(salt);
  const digest = createHash('sha256').update(bytes).update(password).digest();
  return Buffer.concat([bytes, digest]).toString('base64');
}
