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

/**
 * The Secret `<platform>-rabbitmq`. RabbitMQ reads `users.conf` itself, so that the password is in neither a ConfigMap nor an
 * environment; since it names a default user, the well-known `guest` is never made.
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
      [secretKeys.users]: usersConfig(password),
    },
  };
}

/** Read when a cluster is founded and has no user yet. */
function usersConfig(password: string): string {
  const settings = {
    default_vhost: VHOST,
    default_user: USER,
    default_pass: password,
    // The operator watches and repairs as this user, through the management API.
    'default_user_tags.administrator': 'true',
    'default_permissions.configure': '.*',
    'default_permissions.read': '.*',
    'default_permissions.write': '.*',
  };
  return `${Object.entries(settings)
    .map(([key, value]) => `${key} = ${value}`)
    .join('\n')}\n`;
}
