import { serviceHost } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import type { RandomString } from '../core/random.ts';
import type { GeneratedSecret } from '../core/secrets.ts';
import type { Login } from './management-http.ts';
import { AMQP_PORT, adminSecretName, OPERATOR_USER, rabbitmqName, secretKeys, USER, VHOST } from './names.ts';
import { HASHING_ALGORITHM, hashPassword, SALT_LENGTH } from './password-hash.ts';
import { AMQPS_PORT } from './tls/names.ts';

export const PASSWORD_LENGTH = 32;
const COOKIE_LENGTH = 40;

/**
 * The Secret `<platform>-rabbitmq`. RabbitMQ reads the definitions itself, so that the password is in neither a ConfigMap nor an
 * environment.
 *
 * @param random gives letters and digits only, so nothing needs quoting.
 */
export function rabbitmqSecret(platform: Platform, random: RandomString): GeneratedSecret {
  const login = { username: USER, password: random(PASSWORD_LENGTH) };
  return {
    name: rabbitmqName(platform),
    component: 'rabbitmq',
    values: {
      ...loginValues(platform, login, false),
      [secretKeys.cookie]: random(COOKIE_LENGTH),
      [secretKeys.definitions]: definitions([login], random),
    },
  };
}

/** What a client is given of a login. */
export function loginValues(
  platform: Platform,
  { username, password }: Login,
  withTls: boolean,
): Readonly<Record<string, string>> {
  const [scheme, port] = withTls ? ['amqps', AMQPS_PORT] : ['amqp', AMQP_PORT];
  const host = serviceHost(platform, rabbitmqName(platform));
  return {
    [secretKeys.username]: username,
    [secretKeys.password]: password,
    [secretKeys.vhost]: VHOST,
    [secretKeys.uri]: `${scheme}://${username}:${password}@${host}:${port}/${VHOST}`,
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
export function definitions(logins: readonly Login[], random: RandomString): string {
  return JSON.stringify({
    // A type beside the metadata instead of in it is ignored.
    vhosts: [{ name: VHOST, metadata: { default_queue_type: 'quorum' } }],
    users: logins.map(({ username, password }) => ({
      name: username,
      password_hash: hashPassword(password, random(SALT_LENGTH)),
      hashing_algorithm: HASHING_ALGORITHM,
      // The operator watches and repairs as this user, through the management API.
      tags: 'administrator',
    })),
    permissions: logins.map(({ username }) => ({
      user: username,
      vhost: VHOST,
      configure: '.*',
      write: '.*',
      read: '.*',
    })),
  });
}
