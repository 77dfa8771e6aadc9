import { BUNDLE_FILE } from '../certificates/names.ts';
import type { Scope } from '../core/component.ts';
import { secretValue } from '../core/secrets.ts';
import { redisName } from './names.ts';

/** The way to Redis as the application is told it; with TLS in the words of Celery and redis-py, which read the bundle at each new connection. */
export function redisUrl(scope: Scope): string | undefined {
  const uri = secretValue(scope, redisName(scope.platform), 'uri');
  if (uri === undefined || !scope.effective.redis.tls.enabled) return uri;
  return `${uri}?ssl_cert_reqs=required&ssl_ca_certs=${BUNDLE_FILE}`;
}
