import { resources } from '../../kube/resources.ts';
import type { KubeObject, Resource } from '../../kube/types.ts';
import { blockedCondition, rolloutOf } from '../application/rollout.ts';
import type { BlockedBy, ComponentPlan, Removal, Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import type { PoolerStatus } from '../core/platform.ts';
import type { RandomString } from '../core/random.ts';
import { poolerCondition } from './condition.ts';
import { liveUserlist, poolerSecret } from './credentials.ts';
import { poolerObjects } from './desired.ts';
import { poolerLogins } from './logins.ts';
import { poolerName } from './names.ts';
import { observePooler, type Pooler } from './observe.ts';
import { renewal } from './renewal.ts';
import { isPoolerInUse } from './route.ts';
import { poolerReloads } from './tls/reloads.ts';
import { poolerTls } from './tls/wanted.ts';

/** Pure, but for the password that it draws for a new Secret. */
export function decide(scope: Scope, blockedBy: readonly BlockedBy[], random: RandomString): ComponentPlan {
  const { platform, effective } = scope;
  const { pooler } = effective.postgres;
  if (!pooler.enabled) return retired(scope);
  const writes = observePooler(scope, 'writes');
  const reads = observePooler(scope, 'reads');
  const secret = poolerSecret(scope, poolerLogins(scope), random);
  const isThere = writes.deployment !== undefined;
  if (secret === undefined || (blockedBy.length > 0 && !isThere))
    return { objects: [], condition: blockedCondition('the pooler of Postgres', blockedBy) };
  const isBlocked = blockedBy.length > 0;
  const users = liveUserlist(scope);
  const tls = poolerTls(scope);
  const renewed = renewal(scope, [writes, reads]);
  const reloaded = tls === undefined ? undefined : poolerReloads(scope, tls);
  return {
    // Made once, so that a cache that is behind does not have its password drawn anew.
    creates: users === undefined ? [secret] : [],
    objects: isBlocked ? [] : poolerObjects(platform, pooler, secret, users, tls),
    actions: [...renewed.actions, ...(reloaded?.actions ?? [])],
    patches: [...renewed.patches, ...(reloaded?.patches ?? [])],
    condition: poolerCondition(scope, writes, reads),
    status: { pooler: { writes: statusOf(writes, pooler.instances), reads: statusOf(reads, pooler.instances) } },
    ...(reloaded?.requeueAfterMs === undefined ? {} : { requeueAfterMs: reloaded.requeueAfterMs }),
  };
}

function statusOf({ deployment }: Pooler, instances: number): PoolerStatus['writes'] {
  const { wanted, ready } = rolloutOf(deployment, instances);
  return { replicas: wanted, readyReplicas: ready };
}

const kinds: readonly Resource[] = [
  resources.deployments,
  resources.podDisruptionBudgets,
  resources.services,
  resources.configMaps,
  resources.secrets,
];

/** What there was of it goes when the application's last pod that goes through it has been replaced. */
function retired(scope: Scope): ComponentPlan {
  const { platform, children } = scope;
  const namespace = namespaceOf(platform);
  const disabled = {
    status: 'True',
    reason: 'Disabled',
    message: 'switched off by spec.postgres.pooler.enabled',
  } as const;
  const left = kinds.flatMap((resource) =>
    children.list<KubeObject>(resource, 'pooler').map(({ metadata }): Removal => {
      const ref = { resource, namespace, name: metadata.name };
      return { ref, ...(metadata.uid === undefined ? {} : { uid: metadata.uid }) };
    }),
  );
  if (left.length === 0) return { objects: [], condition: disabled };
  if (!isPoolerInUse(scope)) return { objects: [], remove: left, condition: disabled };
  const message = `Deployment ${poolerName(platform, 'writes')} stays until no pod of the application goes through it`;
  return { objects: [], condition: { status: 'True', reason: 'Retiring', message, progressing: true } };
}
