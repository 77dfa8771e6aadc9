import { serviceHost } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import type { RandomString } from '../core/random.ts';
import type { GeneratedSecret } from '../core/secrets.ts';
import { AMQP_PORT, adminSecretName, OPERATOR_USER, rabbitmqName, secretKeys, USER, VHOST } from './names.ts';
import { HASHING_ALGORITHM, hashPassword, SALT_LENGTH } from './password-hash.ts';

const PASSWORD_LENGTH = 32;
const COOKIE_LENGTH = 40;

/**
 * The Secret `<platform>-rabbitmq`. RabbitMQ reads the definitions itself, so that the password is in neither a ConfigMap nor an
 * environment.
 *
 * @param random gives letters and digits only, so nothing needs quoting.
 */
export function rabbitmqSecret(platform: Platform, random: RandomString): GeneratedSecret {
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
 * The Secret `<platform>-rabbitmq-admin`: the operator's own login, for when the application's is lost. Each of the two users is made anew
 * as the other, so that the nodes need to be told of the first alone.
 */
export function rabbitmqAdminSecret(platform: Platform, random: RandomString): GeneratedSecret {
  return {
    name: adminSecretName(platform),
    component: 'rabbitmq',
    renewable: true,
    values: { [secretKeys.username]: OPERATOR_USER, [secretKeys.password]: random(PASSWORD_LENGTH) },
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
        hashing_algorithm: HASHING_ALGORITHM,
        // The operator watches and repairs as this user, through the management API.
        tags: 'administrator',
      },
    ],
    permissions: [{ user: USER, vhost: VHOST, configure: '.*', write: '.*', read: '.*' }],
  });
}
