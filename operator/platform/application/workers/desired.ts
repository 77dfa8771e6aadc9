import type { Deployment } from '../../../kube/resources.ts';
import type { EffectiveWorkerPool } from '../../core/effective.ts';
import { childName, labels, selectorLabels } from '../../core/names.ts';
import type { Platform } from '../../core/platform.ts';
import type { DatabaseAccess } from '../database-access.ts';
import { HEALTH_PORT, healthProbes } from '../health.ts';
import { applicationPod, type DatabaseRoute } from '../pod.ts';

const REFERENCE_COMMAND = ['node', '/app/worker.js'];
/** How long a worker that was told to end may go on with what it has begun, at least. */
const DRAIN_SECONDS = 25;
/** For what follows the last task: its result, and the end of the connections. */
const FAREWELL_SECONDS = 10;

export function workerName(platform: Platform, pool: string): string {
  return childName(platform, 'worker', pool);
}

export function initialReplicas(pool: EffectiveWorkerPool): number {
  return pool.autoscaling?.minReplicas ?? pool.replicas ?? 1;
}

/**
 * A pool that shrinks by itself lets every task come to its end, which its time limit brings: whoever is idle when it is chosen may have a
 * task when it is told. A pool of a fixed size is ended by people and by rollouts, and gives back what takes longer.
 */
function drainSeconds({ autoscaling, timeLimitSeconds }: EffectiveWorkerPool): number {
  return autoscaling === undefined ? DRAIN_SECONDS : Math.max(DRAIN_SECONDS, timeLimitSeconds);
}

/** The Deployment of a worker pool, without its replicas. */
export function workerDeployment(
  platform: Platform,
  pool: EffectiveWorkerPool,
  access: DatabaseAccess,
  celery: Readonly<Record<string, string>>,
  route: DatabaseRoute,
): Deployment {
  const selector = { ...selectorLabels(platform, 'worker'), [labels.workerPool]: pool.name };
  const isReference = pool.command === undefined;
  const template = applicationPod(
    platform,
    'worker',
    selector,
    {
      name: 'worker',
      image: pool.image,
      command: pool.command ?? REFERENCE_COMMAND,
      env: {
        HEALTH_PORT: String(HEALTH_PORT),
        WORKER_NAME: pool.name,
        WORKER_QUEUES: pool.queues.join(','),
        WORKER_CONCURRENCY: String(pool.concurrency),
        WORKER_PREFETCH: String(pool.prefetch),
        WORKER_MAX_TASKS_PER_CHILD: String(pool.maxTasksPerChild),
        WORKER_TIME_LIMIT_SECONDS: String(pool.timeLimitSeconds),
        WORKER_SOFT_TIME_LIMIT_SECONDS: String(pool.softTimeLimitSeconds),
        WORKER_DRAIN_SECONDS: String(drainSeconds(pool)),
        ...celery,
      },
      resources: pool.resources,
      // A worker of the user's own is known to run, and no more than that.
      ...(isReference ? healthProbes : {}),
    },
    access,
    { terminationGracePeriodSeconds: drainSeconds(pool) + FAREWELL_SECONDS },
    route,
  );
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: workerName(platform, pool.name), labels: { [labels.workerPool]: pool.name } },
    spec: { selector: { matchLabels: selector }, template },
  };
}
