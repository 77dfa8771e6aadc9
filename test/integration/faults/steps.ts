import type { PlatformSpec } from '../../../operator/platform/schema/spec.ts';

/** One change that a user makes; the run goes on when the platform is as it is without faults. */
export interface Step {
  readonly name: string;
  /** `restart`: the operator ends as it should and another one starts, over unchanged resources. */
  readonly does: 'create' | 'change' | 'restart' | 'delete';
  /** Merge patch of the spec. */
  readonly spec?: PlatformSpec | Nullable;
}

type Nullable = { readonly [key: string]: unknown };

/** A StorageClass whose volumes may grow. */
export const GROWING_CLASS = 'growing';

/** One member of Postgres and one node of RabbitMQ are what the played engines are; the pools are few so that a run is short. */
const first: PlatformSpec = {
  customers: 100,
  postgres: { instances: 1, storage: { size: '5Gi', storageClassName: GROWING_CLASS } },
  rabbitmq: { nodes: 1 },
  api: { replicas: 2 },
  workers: [{ name: 'ai', replicas: 1 }, { name: 'messages' }],
};

/** A platform's whole life: every component is changed once, in ways that write, scale, create and delete. */
export const life: readonly Step[] = [
  { name: 'create', does: 'create', spec: first },
  {
    name: 'scale',
    does: 'change',
    spec: { api: { replicas: 4 }, workers: [{ name: 'ai', replicas: 3 }, { name: 'messages' }] },
  },
  {
    name: 'change parameters of every component',
    does: 'change',
    spec: {
      api: { processes: 3 },
      postgres: { parameters: { work_mem: '8MB' } },
      redis: { maxMemory: '96mb' },
      rabbitmq: { resources: { requests: { cpu: '150m', memory: '256Mi' }, limits: { memory: '640Mi' } } },
      workers: [
        { name: 'ai', replicas: 3, concurrency: 3 },
        { name: 'reports', replicas: 1 },
      ],
    },
  },
  {
    name: 'hand the replicas to an autoscaler, end the beat',
    does: 'change',
    spec: { api: { replicas: null, autoscaling: { minReplicas: 2, maxReplicas: 5 } }, beat: { enabled: false } },
  },
  {
    name: 'take the replicas back, start the beat',
    does: 'change',
    spec: { api: { replicas: 3, autoscaling: null }, beat: { enabled: true } },
  },
  {
    name: 'grow the volumes',
    does: 'change',
    spec: { postgres: { storage: { size: '10Gi' } } },
  },
  { name: 'restart', does: 'restart' },
  {
    name: 'upgrade',
    does: 'change',
    spec: { images: { api: 'api:next', postgres: 'postgres:next', redis: 'redis:next', rabbitmq: 'rabbitmq:next' } },
  },
  { name: 'pause and change', does: 'change', spec: { paused: true, api: { replicas: 1 } } },
  { name: 'go on', does: 'change', spec: { paused: false } },
  { name: 'delete', does: 'delete' },
];
