import { type Deployment, type Pod, resources } from '../../kube/resources.ts';
import type { Scope } from '../core/component.ts';
import { shortHash } from '../core/hash.ts';
import { labels, namespaceOf } from '../core/names.ts';
import { isPodReady } from '../core/pods.ts';
import { leadership } from '../postgres/leadership.ts';
import { REPLICA_ROLE } from '../postgres/names.ts';
import { observe as observePostgres } from '../postgres/observe.ts';
import { type PoolerKind, poolerName } from './names.ts';
import type { PoolerReading } from './reading.ts';

/** The servers that the Service behind a pooler leads to now. */
export interface Servers {
  /** Differs whenever connections made before may lead to another server than those made now. */
  readonly key: string;
  /** Who is the primary, and since when; absent for reads. */
  readonly primary?: { readonly name: string; readonly since: Date };
}

export interface PoolerPod {
  readonly pod: Pod;
  readonly reading: PoolerReading | undefined;
}

/** One of a platform's two poolers. */
export interface Pooler {
  readonly kind: PoolerKind;
  readonly name: string;
  readonly deployment: Deployment | undefined;
  readonly pods: readonly PoolerPod[];
  /** Undefined while there is none. */
  readonly servers: Servers | undefined;
}

export function poolerProbeName(kind: PoolerKind, pod: Pod): string {
  return `pooler/${kind}/${pod.metadata.name}`;
}

export function observePooler(scope: Scope, kind: PoolerKind): Pooler {
  const { platform, children, probes } = scope;
  const name = poolerName(platform, kind);
  const ref = { resource: resources.deployments, namespace: namespaceOf(platform), name };
  return {
    kind,
    name,
    deployment: children.get<Deployment>(ref),
    pods: poolerPods(scope, kind).map((pod) => ({
      pod,
      reading: probes.get<PoolerReading>(poolerProbeName(kind, pod))?.value,
    })),
    servers: kind === 'writes' ? primaryOf(scope) : standbysOf(scope),
  };
}

/** The pods of one kind, by name. */
export function poolerPods({ children }: Scope, kind: PoolerKind): Pod[] {
  return children
    .list<Pod>(resources.pods, 'pooler')
    .filter((pod) => pod.metadata.labels?.[labels.pooler] === kind)
    .toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name));
}

/** The primary, once its Service leads to it. */
function primaryOf(scope: Scope): Servers | undefined {
  const observed = observePostgres(scope);
  const { primary, rogues } = leadership(observed);
  const since = observed.lock?.acquiredAt;
  if (primary === undefined || since === undefined || rogues.length > 0) return undefined;
  if (!primary.labelledPrimary || !isPodReady(primary.pod)) return undefined;
  return { key: `${primary.name} ${since.toISOString()}`, primary: { name: primary.name, since } };
}

function standbysOf(scope: Scope): Servers | undefined {
  const ready = observePostgres(scope).members.filter(
    ({ pod }) => pod.metadata.labels?.[labels.role] === REPLICA_ROLE && isPodReady(pod),
  );
  if (ready.length === 0) return undefined;
  return { key: shortHash(ready.map(({ pod }) => pod.metadata.uid)) };
}
