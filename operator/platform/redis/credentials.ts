import { serviceHost } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import type { RandomString } from '../core/random.ts';
import type { GeneratedSecret } from '../core/secrets.ts';
import { AUTH_KEY, PASSWORD_KEY, REDIS_PORT, redisName } from './names.ts';

const PASSWORD_LENGTH = 32;

/**
 * The Secret `<platform>-redis`. The servers include `auth.conf`, so that the password is in neither a ConfigMap nor a command line.
 *
 * @param random gives letters and digits only, so nothing needs quoting.
 */
export function redisSecret(platform: Platform, random: RandomString): GeneratedSecret {
  const name = redisName(platform);
  const password = random(PASSWORD_LENGTH);
  return {
    name,
    component: 'redis',
    values: {
      [PASSWORD_KEY]: password,
      uri: `redis://:${password}@${serviceHost(platform, name)}:${REDIS_PORT}/0`,
      [AUTH_KEY]: `requirepass ${password}\nmasterauth ${password}\n`,
    },
  };
}
