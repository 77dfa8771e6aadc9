import type { EffectiveWorkerPool } from '../core/effective.ts';
import { resolveReplicas } from './resolve-replicas.ts';
import { resolveResources } from './resolve-resources.ts';
import type { PlatformSpec } from './spec.ts';
import {
  DEFAULT_POOLS,
  type DefaultPool,
  OTHER_KIND,
  WORKER_KINDS,
  type WorkerKind,
  type WorkerTier,
} from './tiers-workers.ts';

type WorkerSpec = NonNullable<PlatformSpec['workers']>[number];

/** The pools of a platform: the user's where there are any (an empty list is none), else the default ones. */
export function resolveWorkers(
  specs: readonly WorkerSpec[] | undefined,
  tier: WorkerTier,
  image: string,
): EffectiveWorkerPool[] {
  return (specs ?? DEFAULT_POOLS.map((name) => ({ name }))).map((spec) => resolvePool(spec, tier, image));
}

function resolvePool(spec: WorkerSpec, tier: WorkerTier, image: string): EffectiveWorkerPool {
  const sizes = isDefaultPool(spec.name) ? tier[spec.name] : tier.other;
  const kind = isDefaultPool(spec.name) ? WORKER_KINDS[spec.name] : { ...OTHER_KIND, queues: [spec.name] };
  return {
    name: spec.name,
    queues: spec.queues ?? kind.queues,
    concurrency: spec.concurrency ?? sizes.concurrency,
    prefetch: spec.prefetch ?? kind.prefetch,
    maxTasksPerChild: spec.maxTasksPerChild ?? kind.maxTasksPerChild,
    ...resolveTimeLimits(spec, kind),
    ...resolveReplicas(sizes.autoscaling, spec),
    image: spec.image ?? image,
    ...(spec.command === undefined ? {} : { command: spec.command }),
    resources: resolveResources(sizes.resources, spec.resources),
  };
}

/** A limit that is given moves the other one, where that is a default and would contradict it: the soft one always comes first. */
function resolveTimeLimits(spec: WorkerSpec, kind: WorkerKind) {
  const { timeLimitSeconds: hard, softTimeLimitSeconds: soft } = spec;
  if (hard === undefined && soft === undefined) {
    return { timeLimitSeconds: kind.timeLimitSeconds, softTimeLimitSeconds: kind.softTimeLimitSeconds };
  }
  const grace = (of: number) => Math.max(1, Math.ceil(of / 6));
  const timeLimitSeconds = hard ?? Math.max(kind.timeLimitSeconds, (soft ?? 0) + grace(soft ?? 0));
  const softTimeLimitSeconds = soft ?? Math.min(kind.softTimeLimitSeconds, timeLimitSeconds - grace(timeLimitSeconds));
  return { timeLimitSeconds, softTimeLimitSeconds };
}

function isDefaultPool(name: string): name is DefaultPool {
  return (DEFAULT_POOLS as readonly string[]).includes(name);
}
