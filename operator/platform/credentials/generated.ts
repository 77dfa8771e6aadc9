import type { Platform } from '../core/platform.ts';
import type { RandomString } from '../core/random.ts';
import type { GeneratedSecret } from '../core/secrets.ts';
import { postgresSecrets } from '../postgres/credentials.ts';
import { rabbitmqAdminSecret, rabbitmqSecret } from '../rabbitmq/credentials.ts';
import { redisSecret } from '../redis/credentials.ts';

/** The Secrets of the stateful components; their values count only where a Secret is not there yet. */
export function generateSecrets(platform: Platform, random: RandomString): readonly GeneratedSecret[] {
  return [
    ...postgresSecrets(platform, random),
    redisSecret(platform, random),
    rabbitmqSecret(platform, random),
    rabbitmqAdminSecret(platform, random),
  ];
}
