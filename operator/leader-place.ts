import type { KubeClient } from './kube/client.ts';
import { type Pod, resources } from './kube/resources.ts';
import type { ChildrenCache } from './platform/core/children.ts';
import { betterPlaced, type Primary, type Replica } from './platform/core/leader-place.ts';
import { labels } from './platform/core/names.ts';
import type { Platform } from './platform/core/platform.ts';
import { isPodReady } from './platform/core/pods.ts';
import type { Clock } from './runtime/clock.ts';
import { findCondition } from './runtime/conditions.ts';
import { GivingWay } from './runtime/election.ts';
import type { Informer } from './runtime/informer.ts';
import type { Logger } from './runtime/logger.ts';

/** Between two looks, and from the beginning of a term to the first: a change of the leader is to be rare. */
const LOOK_MS = 60_000;

export interface LeaderPlaceOptions {
  readonly client: Pick<KubeClient, 'get' | 'list'>;
  readonly platforms: Pick<Informer<Platform>, 'list'>;
  readonly children: Pick<ChildrenCache, 'get'>;
  /** Of the operator's pods. */
  readonly namespace: string;
  /** Name of this pod. */
  readonly identity: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Follows where the leader stands until another replica stands better, and rejects with `GivingWay` then; or with the signal's reason. What does not run as a pod, as a
 * developer's operator on a laptop, stands nowhere and never gives way.
 */
export async function standUntilBetterElsewhere(options: LeaderPlaceOptions, signal: AbortSignal): Promise<never> {
  const { clock, logger } = options;
  for (;;) {
    await clock.sleep(LOOK_MS, signal);
    try {
      const best = await look(options, signal);
      if (best !== undefined) throw new GivingWay(`${best.name} on node ${best.node} stands apart from the primaries`);
    } catch (error) {
      if (error instanceof GivingWay || signal.aborted) throw error;
      logger.warn('whether another replica stands better could not be found out', { error });
    }
  }
}

async function look(options: LeaderPlaceOptions, signal: AbortSignal): Promise<Replica | undefined> {
  const primaries = options.platforms.list().flatMap((platform) => primaryOf(platform, options.children));
  if (primaries.length === 0) return undefined;
  const { client, namespace, identity } = options;
  const own = await client.get<Pod>({ resource: resources.pods, namespace, name: identity }, signal);
  const node = own?.spec?.nodeName;
  if (own === undefined || node === undefined || !primaries.some((primary) => primary.node === node)) return undefined;
  const labelSelector = `${labels.name}=${own.metadata.labels?.[labels.name] ?? ''}`;
  const { items } = await client.list<Pod>(resources.pods, { namespace, labelSelector }, signal);
  const others = items.filter((pod) => pod.metadata.name !== identity && isPodReady(pod));
  return betterPlaced(
    { name: identity, node },
    others.flatMap((pod) =>
      pod.spec?.nodeName === undefined ? [] : [{ name: pod.metadata.name, node: pod.spec.nodeName }],
    ),
    primaries,
  );
}

function primaryOf({ metadata, status }: Platform, children: LeaderPlaceOptions['children']): Primary[] {
  const name = status?.postgres?.primary;
  if (name === undefined) return [];
  const pod = children.get<Pod>({ resource: resources.pods, namespace: metadata.namespace, name });
  if (pod?.spec?.nodeName === undefined) return [];
  const is = (type: string): boolean => findCondition(status?.conditions, type)?.status === 'True';
  return [
    {
      node: pod.spec.nodeName,
      steady: is('Ready') && !is('Degraded') && !is('Progressing'),
      failingOver: is('FailoverInProgress'),
    },
  ];
}
