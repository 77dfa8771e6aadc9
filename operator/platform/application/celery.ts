import type { EffectivePlatform } from '../core/effective.ts';

/**
 * What a Celery application of the user's own gets instead of what the Secret says. Celery takes CELERY_RESULT_BACKEND for more than anything
 * that the application sets, and its Redis backend cannot talk to a Redis Cluster: there, results go back to the callers by `rpc://`.
 *
 * @param command undefined for the reference application, which can talk to either
 */
export function celeryEnvironment(
  command: readonly string[] | undefined,
  { redis }: Pick<EffectivePlatform, 'redis'>,
): Readonly<Record<string, string>> {
  return command === undefined || redis.mode !== 'cluster' ? {} : { CELERY_RESULT_BACKEND: 'rpc://' };
}
