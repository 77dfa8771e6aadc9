import { serviceHost } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import type { RandomString } from '../core/random.ts';
import type { GeneratedSecret } from '../core/secrets.ts';
import { AUTH_KEY, PASSWORD_KEY, REDIS_PORT, redisName } from './names.ts';

export const PASSWORD_LENGTH = 32;

/**
 * The Secret `<platform>-redis`. The servers include `auth.conf`, so that the password is in neither a ConfigMap nor a command line.
 *
 * @param random gives letters and digits only, so nothing needs quoting.
 */
export function redisSecret(platform: Platform, random: RandomString): GeneratedSecret {
  return { name: redisName(platform), component: 'redis', values: redisValues(platform, random(PASSWORD_LENGTH)) };
}

/**
 * What is in it.
 *
 * @param other taken as well by a server that starts with this. Not for one that keeps its users in a file of its own: the engine refuses
 * to start where a user is in two files.
 */
export function redisValues(platform: Platform, password: string, other?: string): Readonly<Record<string, string>> {
  const access = other === undefined ? `requirepass ${password}` : `user default on >${password} >${other} ~* &* +@all`;
  const scheme = platform.spec?.redis?.tls?.enabled === true ? 'rediss' : 'redis';
  return {
    [PASSWORD_KEY]: password,
    uri: `${scheme}://:${password}@${serviceHost(platform, redisName(platform))}:${REDIS_PORT}/0`,
    [AUTH_KEY]: `${access}\nmasterauth ${password}\n`,
  };
}
