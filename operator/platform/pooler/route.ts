import { type Deployment, type Pod, resources } from '../../kube/resources.ts';
import { rolloutOf } from '../application/rollout.ts';
import type { ComponentName, Scope } from '../core/component.ts';
import { childName, namespaceOf } from '../core/names.ts';
import { secretValue } from '../core/secrets.ts';
import { offersTls } from '../postgres/tls/names.ts';
import { findings } from '../schema/validate.ts';
import { POOLED_ROUTE, poolerHost, poolerName, ROUTE_ANNOTATION } from './names.ts';
import { poolerPods } from './observe.ts';

/** In the application's Secret, once there has been a pooler: Postgres itself, for what needs a session of its own. */
export const DIRECT_URL_KEY = 'DATABASE_DIRECT_URL';

/**
 * Whether the application's Secret is to lead to the pooler: at once on a new platform, and on one that runs when the pooler is ready to serve.
 * Once it does it stays so, whatever the pooler's pods go through.
 *
 * @param withTls the address demands TLS, so it may lead to no pod that does not offer it
 */
export function wantsPooledRoute(scope: Scope, withTls: boolean): boolean {
  const { platform, effective, children } = scope;
  if (!effective.postgres.pooler.enabled) return false;
  if (hasPooledRoute(scope)) return true;
  // One that would not work is not made, so nothing may lead to it.
  if (findings(effective).some(({ component }) => component === 'pooler')) return false;
  if (secretValue(scope, childName(platform, 'app'), 'DATABASE_URL') === undefined) return true;
  const ref = {
    resource: resources.deployments,
    namespace: namespaceOf(platform),
    name: poolerName(platform, 'writes'),
  };
  const deployment = children.get<Deployment>(ref);
  if ((deployment?.status?.readyReplicas ?? 0) === 0) return false;
  return !withTls || (rolloutOf(deployment, 1).complete && poolerPods(scope, 'writes').every(offersTls));
}

/** Whether it does so now, as far as the cache knows: only then may pods be started that rely on it. */
export function hasPooledRoute(scope: Scope): boolean {
  const url = secretValue(scope, childName(scope.platform, 'app'), 'DATABASE_URL');
  return url !== undefined && URL.parse(url)?.hostname === poolerHost(scope.platform);
}

const CLIENTS: readonly ComponentName[] = ['api', 'worker', 'beat'];

/** Whether a pod of the application was started to go through the pooler, so that it cannot go yet. */
export function isPoolerInUse(scope: Scope): boolean {
  const pods = CLIENTS.flatMap((component) => scope.children.list<Pod>(resources.pods, component));
  return (
    hasPooledRoute(scope) || pods.some(({ metadata }) => metadata.annotations?.[ROUTE_ANNOTATION] === POOLED_ROUTE)
  );
}
