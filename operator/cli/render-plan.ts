import type {
  EffectiveApi,
  EffectivePlatform,
  EffectiveWorkerPool,
  ResourceRequirements,
  Storage,
} from '../platform/core/effective.ts';
import { bytesOf } from '../platform/schema/quantity.ts';
import { table } from './table.ts';

const GIB = 1024 ** 3;

interface Row {
  readonly component: string;
  readonly pods: Range;
  readonly resources: ResourceRequirements;
  /** Of each pod. */
  readonly storage?: Storage;
  readonly settings: string;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** The sizes in force, what they add up to, and what does not fit together. */
export function renderPlan(
  name: string,
  effective: EffectivePlatform,
  findings: readonly { message: string }[],
): string {
  const rows = rowsOf(effective);
  const { customers, tier } = effective;
  const cells = rows.map(({ component, pods, resources, storage, settings }) => [
    component,
    pods.min === pods.max ? String(pods.min) : `${pods.min}-${pods.max}`,
    amounts(resources, 'cpu'),
    amounts(resources, 'memory'),
    storage === undefined ? '-' : describe(storage),
    settings,
  ]);
  return [
    `${name}: ${customers} customers, tier ${tier}`,
    table([['COMPONENT', 'PODS', 'CPU', 'MEMORY', 'STORAGE', 'SETTINGS'], ...cells]),
    'CPU and memory: what a pod is promised / what it may use at most.',
    total(rows),
    parameters(effective),
    ...findings.map(({ message }) => `Does not fit: ${message}`),
  ].join('\n\n');
}

function rowsOf({ api, postgres, redis, rabbitmq, workers, beat }: EffectivePlatform): Row[] {
  const { pooler } = postgres;
  return [
    {
      component: 'postgres',
      pods: fixed(postgres.instances),
      resources: postgres.resources,
      storage: postgres.storage,
      settings: `version ${postgres.version}, ${postgres.synchronous ? 'synchronous' : 'asynchronous'} replication`,
    },
    ...(pooler.enabled
      ? [
          {
            component: 'pooler',
            pods: fixed(2 * pooler.instances),
            resources: pooler.resources,
            settings: `${pooler.instances} for writes and ${pooler.instances} for reads, ${pooler.poolMode} mode, ${pooler.maxServerConnections} server connections in all`,
          },
        ]
      : []),
    {
      component: 'redis',
      pods: fixed(redis.shards * (1 + redis.replicasPerShard)),
      resources: redis.resources,
      storage: redis.storage,
      settings: `${redis.mode}, ${count(redis.shards, 'shard')} of a primary and ${count(redis.replicasPerShard, 'replica')}, maxmemory ${redis.maxMemory}`,
    },
    {
      component: 'rabbitmq',
      pods: fixed(rabbitmq.nodes),
      resources: rabbitmq.resources,
      storage: rabbitmq.storage,
      settings: 'quorum queues',
    },
    {
      component: 'api',
      pods: range(api),
      resources: api.resources,
      settings: `${count(api.processes, 'process', 'processes')} of ${api.maxConnections} connections${apiScaling(api)}`,
    },
    ...workers.map((pool) => ({
      component: `worker ${pool.name}`,
      pods: range(pool),
      resources: pool.resources,
      settings: `${pool.queues.join(', ')}: ${pool.concurrency} at a time${workerScaling(pool)}`,
    })),
    ...(beat.enabled ? [{ component: 'beat', pods: fixed(1), resources: beat.resources, settings: '' }] : []),
  ];
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

function fixed(pods: number): Range {
  return { min: pods, max: pods };
}

function range({ replicas, autoscaling }: Pick<EffectiveApi | EffectiveWorkerPool, 'replicas' | 'autoscaling'>): Range {
  return autoscaling === undefined
    ? fixed(replicas ?? 1)
    : { min: autoscaling.minReplicas, max: autoscaling.maxReplicas };
}

function apiScaling({ autoscaling }: EffectiveApi): string {
  return autoscaling === undefined ? '' : `, more pods above ${autoscaling.targetCPUUtilizationPercentage}% CPU`;
}

function workerScaling({ autoscaling }: EffectiveWorkerPool): string {
  return autoscaling === undefined ? '' : `, more pods above ${autoscaling.targetQueueLength} messages a pod`;
}

function amounts({ requests, limits }: ResourceRequirements, resource: string): string {
  return `${requests?.[resource] ?? '-'} / ${limits?.[resource] ?? '-'}`;
}

function describe({ size, storageClassName }: Storage): string {
  return storageClassName === undefined ? size : `${size} ${storageClassName}`;
}

function total(rows: readonly Row[]): string {
  const sum = (of: (row: Row) => string | undefined, edge: keyof Range): number =>
    rows.reduce((all, row) => all + row.pods[edge] * bytesOf(of(row) ?? 0), 0);
  const needs = (edge: keyof Range): string => {
    const pods = rows.reduce((all, row) => all + row.pods[edge], 0);
    const cpu = sum(({ resources }) => resources.requests?.['cpu'], edge);
    const memory = sum(({ resources }) => resources.requests?.['memory'], edge);
    return `${pods} pods, ${round(cpu)} CPU, ${round(memory / GIB)} Gi of memory`;
  };
  const storage = sum(({ storage: volume }) => volume?.size, 'min');
  return [
    `Promised in all: ${needs('min')}, ${round(storage / GIB)} Gi of storage`,
    `Scaled out:      ${needs('max')}`,
  ].join('\n');
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function parameters({ postgres }: EffectivePlatform): string {
  const rows = Object.entries(postgres.parameters).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `Postgres parameters\n${table(rows, 2)}`;
}
