/** Images that the operator uses where a platform names none. */
export interface DefaultImages {
  readonly api: string;
  readonly postgres: string;
  readonly redis: string;
  readonly rabbitmq: string;
  readonly haproxy: string;
  readonly pgbouncer: string;
}

/**
 * The images from the operator's own environment, where the installation puts them (RELATED_IMAGE_API, ...), so that what it
 * deploys is mirrored and pinned with it. Redis, RabbitMQ and HAProxy have official images to fall back on.
 *
 * @throws TypeError naming the variable that is missing.
 */
export function defaultImages(env: Readonly<Record<string, string | undefined>>): DefaultImages {
  return {
    api: required(env, 'RELATED_IMAGE_API'),
    postgres: required(env, 'RELATED_IMAGE_POSTGRES'),
    redis: env['RELATED_IMAGE_REDIS'] || 'docker.io/library/redis:7.4',
    rabbitmq: env['RELATED_IMAGE_RABBITMQ'] || 'docker.io/library/rabbitmq:3.13-management',
    haproxy: env['RELATED_IMAGE_HAPROXY'] || 'docker.io/library/haproxy:2.8',
    // There is no official one: this is the name under which `hack/images` builds it for a registry.
    pgbouncer: env['RELATED_IMAGE_PGBOUNCER'] || 'isp-support/pgbouncer:1.18',
  };
}

function required(env: Readonly<Record<string, string | undefined>>, name: string): string {
  const value = env[name];
  if (!value)
    throw new TypeError(`${name} is not set: it names the image to run and is part of the operator's Deployment`);
  return value;
}
