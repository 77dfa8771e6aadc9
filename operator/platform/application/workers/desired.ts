import type { Deployment } from '../../../kube/resources.ts';
import type { EffectiveWorkerPool } from '../../core/effective.ts';
import { childName, labels, selectorLabels } from '../../core/names.ts';
import type { Platform } from '../../core/platform.ts';
import type { DatabaseAccess } from '../database-access.ts';
import { HEALTH_PORT, healthProbes } from '../health.ts';
import { applicationPod, type DatabaseRoute } from '../pod.ts';

const REFERENCE_COMMAND = ['node', '/app/worker.js'];
/** How long a worker that was told to end may go on with what it has begun. */
const DRAIN_SECONDS = 25;

export function workerName(platform: Platform, pool: string): string {
  return childName(platform, 'worker', pool);
}

export function initialReplicas(pool: EffectiveWorkerPool): number {
  return pool.autoscaling?.minReplicas ?? pool.replicas ?? 1;
}

/** The Deployment of a worker pool, without its replicas. */
export function workerDeployment(
  platform: Platform,
  pool: EffectiveWorkerPool,
  access: DatabaseAccess,
  route: DatabaseRoute = 'plain',
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
        WORKER_DRAIN_SECONDS: String(DRAIN_SECONDS),
      },
      resources: pool.resources,
      // A worker of the user's own is known to run, and no more than that.
      ...(isReference ? healthProbes : {}),
    },
    access,
    { terminationGracePeriodSeconds: DRAIN_SECONDS + 10 },
    route,
  );
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: workerName(platform, pool.name), labels: { [labels.workerPool]: pool.name } },
    spec: { selector: { matchLabels: selector }, template },
  };
}
