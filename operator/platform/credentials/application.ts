import { createHmac } from 'node:crypto';
import { BUNDLE_FILE } from '../certificates/names.ts';
import type { Scope } from '../core/component.ts';
import { childName, serviceHost } from '../core/names.ts';
import type { RandomString } from '../core/random.ts';
import { type GeneratedSecret, secretValue } from '../core/secrets.ts';
import { poolerHost } from '../pooler/names.ts';
import { DIRECT_URL_KEY, wantsPooledRoute } from '../pooler/route.ts';
import { DATABASE_LOGIN } from '../postgres/login.ts';
import { loginAnnotation, tlsOf } from '../postgres/tls/facts.ts';
import { BROKER_LOGIN, brokerLoginAnnotation } from '../rabbitmq/tls/facts.ts';
import { brokerUrl } from '../rabbitmq/url.ts';
import { REDIS_LOGIN, redisLoginAnnotation } from '../redis/password/secrets.ts';
import { redisUrl } from '../redis/url.ts';

const SECRET_KEY_LENGTH = 50;
const BROKER_CA_KEY = 'BROKER_CA_FILE';

/**
 * Everything that the API and the workers read, under the names that Celery applications use; undefined until the credentials that it
 * is made of are there.
 */
export function applicationSecret(scope: Scope): GeneratedSecret | undefined {
  const { platform, effective } = scope;
  const database = secretValue(scope, childName(platform, 'postgres'), 'uri');
  const redis = redisUrl(scope);
  const broker = brokerUrl(scope);
  if (database === undefined || redis === undefined || broker === undefined) return undefined;
  const name = childName(platform, 'app');
  const secretKey = secretValue(scope, name, 'SECRET_KEY');
  const urls = databaseUrls(scope, database);
  const annotations = {
    [DATABASE_LOGIN]: revisionOf(
      loginAnnotation(scope),
      secretValue(scope, name, 'DATABASE_URL'),
      urls['DATABASE_URL'],
    ),
    [REDIS_LOGIN]: revisionOf(redisLoginAnnotation(scope), secretValue(scope, name, 'REDIS_URL'), redis),
    [BROKER_LOGIN]: revisionOf(brokerLoginAnnotation(scope), secretValue(scope, name, 'CELERY_BROKER_URL'), broker),
  };
  const revisions = Object.entries(annotations).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
  return {
    name,
    component: 'api',
    ...(revisions.length === 0 ? {} : { annotations: Object.fromEntries(revisions) }),
    values: {
      ...urls,
      REDIS_URL: redis,
      REDIS_MODE: effective.redis.mode,
      ...(effective.redis.mode === 'sentinel' ? { REDIS_SENTINELS: sentinels(scope) } : {}),
      CELERY_BROKER_URL: broker,
      ...brokerAuthorities(scope, broker),
      CELERY_RESULT_BACKEND: redis,
      DEBUG: 'false',
      ...(secretKey === undefined ? {} : ownKeys(secretKey)),
    },
  };
}

/** The number of an address, one more than that of the address before it; undefined for the first. */
function revisionOf(last: string | undefined, before: string | undefined, url: string | undefined): string | undefined {
  return before === undefined || before === url ? last : String(Number(last ?? 0) + 1);
}

/** The way to Postgres: through the pooler where there is one, and then directly as well; with TLS where that is to be used. */
function databaseUrls(scope: Scope, uri: string): Record<string, string> {
  const usesTls = tlsOf(scope).use;
  const direct = usesTls ? `${uri}?sslmode=verify-full&sslrootcert=${BUNDLE_FILE}` : uri;
  if (!wantsPooledRoute(scope, usesTls)) {
    // A key that came with the Secret itself cannot be taken away by applying without it, so it is kept right instead.
    const isThere = secretValue(scope, childName(scope.platform, 'app'), DIRECT_URL_KEY) !== undefined;
    return { DATABASE_URL: direct, ...(isThere ? { [DIRECT_URL_KEY]: direct } : {}) };
  }
  const pooled = new URL(direct);
  pooled.hostname = poolerHost(scope.platform);
  return { DATABASE_URL: pooled.href, [DIRECT_URL_KEY]: direct };
}

/** How the nodes of RabbitMQ are verified, which cannot be in their address; see `brokerUrl`. */
function brokerAuthorities(scope: Scope, broker: string): Record<string, string> {
  // What came with the Secret itself cannot be taken away by applying without it, and harms nobody.
  const isThere = secretValue(scope, childName(scope.platform, 'app'), BROKER_CA_KEY) !== undefined;
  return isThere || broker.startsWith('amqps:') ? { [BROKER_CA_KEY]: BUNDLE_FILE } : {};
}

/** Where a client asks for the primary; REDIS_URL leads to it as well, for whoever does not ask. */
function sentinels({ platform }: Scope): string {
  return `${serviceHost(platform, childName(platform, 'redis', 'sentinel'))}:26379`;
}

/** The same with the one value that is made up, for the first time. */
export function generatedApplicationSecret(secret: GeneratedSecret, random: RandomString): GeneratedSecret {
  return { ...secret, values: { ...secret.values, ...ownKeys(random(SECRET_KEY_LENGTH)) } };
}

/**
 * The keys that are the application's own. The token of whoever runs the platform comes from the secret key, which it does not tell, so that
 * a Secret that was made without one gets the same however often it is asked for.
 */
function ownKeys(secretKey: string): Record<string, string> {
  const adminToken = createHmac('sha256', secretKey).update('isp.support/admin-token').digest('base64url');
  return { SECRET_KEY: secretKey, ADMIN_TOKEN: adminToken };
}
