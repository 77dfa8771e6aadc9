/**
 * What a platform is to be after every default has been filled in from its tier: the components read this, never the raw spec, so
 * that no two of them can default a field differently.
 */
export interface EffectivePlatform {
  /** Customers that the sizes are made for, as the user gave them. */
  readonly customers: number;
  /** The tier in force: the smallest that holds `customers`. */
  readonly tier: TierName;
  readonly paused: boolean;
  readonly api: EffectiveApi;
  readonly postgres: EffectivePostgres;
  readonly redis: EffectiveRedis;
  readonly rabbitmq: EffectiveRabbitmq;
  readonly workers: readonly EffectiveWorkerPool[];
  readonly beat: EffectiveBeat;
  readonly failover: EffectiveFailover;
  readonly slo: EffectiveSlo;
  /** Absent: nobody is told. */
  readonly alerts?: EffectiveAlerts;
}

export type TierName = 100 | 1000 | 10000 | 50000;

/** CPU and memory as Kubernetes quantities. */
export interface ResourceRequirements {
  readonly requests?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string>>;
}

export interface Storage {
  /** Quantity, e.g. `20Gi`. */
  readonly size: string;
  /** Absent: the cluster's default class. */
  readonly storageClassName?: string;
}

export interface EffectiveApi {
  readonly image: string;
  /** Absent: the reference API's own command. */
  readonly command?: readonly string[];
  /** Present only without autoscaling. */
  readonly replicas?: number;
  readonly autoscaling?: {
    readonly minReplicas: number;
    readonly maxReplicas: number;
    readonly targetCPUUtilizationPercentage: number;
  };
  /** Processes a pod. */
  readonly processes: number;
  /** Connections a process. */
  readonly maxConnections: number;
  readonly resources: ResourceRequirements;
}

export interface EffectivePostgres {
  readonly image: string;
  /** Major version. */
  readonly version: string;
  readonly instances: number;
  readonly synchronous: boolean;
  readonly storage: Storage;
  /** The tier's parameters with the user's on top. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly tls: { readonly enabled: boolean };
  readonly resources: ResourceRequirements;
  readonly pooler: EffectivePooler;
}

export interface EffectivePooler {
  readonly enabled: boolean;
  readonly image: string;
  /** Pods for writes, and as many for reads. */
  readonly instances: number;
  readonly poolMode: 'transaction' | 'session';
  /** To Postgres, in all. */
  readonly maxServerConnections: number;
  /** Of each pod. */
  readonly maxClientConnections: number;
  readonly resources: ResourceRequirements;
}

export interface EffectiveRedis {
  readonly image: string;
  readonly mode: 'cluster' | 'sentinel';
  readonly shards: number;
  readonly replicasPerShard: number;
  /** As redis.conf has it, e.g. `1gb`. */
  readonly maxMemory: string;
  readonly tls: { readonly enabled: boolean };
  readonly storage: Storage;
  readonly resources: ResourceRequirements;
}

export interface EffectiveRabbitmq {
  readonly image: string;
  readonly nodes: number;
  readonly tls: { readonly enabled: boolean };
  readonly storage: Storage;
  readonly resources: ResourceRequirements;
}

export interface EffectiveWorkerPool {
  readonly name: string;
  readonly queues: readonly string[];
  readonly concurrency: number;
  readonly prefetch: number;
  readonly maxTasksPerChild: number;
  readonly timeLimitSeconds: number;
  readonly softTimeLimitSeconds: number;
  readonly replicas?: number;
  readonly autoscaling?: {
    readonly minReplicas: number;
    readonly maxReplicas: number;
    readonly targetQueueLength: number;
    readonly by: 'operator' | 'keda';
    readonly targetAgeSeconds: number;
    readonly scaleInAfterSeconds: number;
  };
  readonly image: string;
  /** Absent: the reference worker's own command. */
  readonly command?: readonly string[];
  readonly resources: ResourceRequirements;
}

export interface EffectiveBeat {
  readonly enabled: boolean;
  readonly image: string;
  readonly resources: ResourceRequirements;
}

export interface EffectiveFailover {
  readonly enabled: boolean;
  readonly probeIntervalSeconds: number;
  readonly failureThreshold: number;
}

export interface EffectiveAlerts {
  /** The Alertmanagers, each of which is told everything. */
  readonly urls: readonly string[];
  /** Where the bearer token is. */
  readonly tokenSecret?: { readonly name: string; readonly key: string };
}

export interface EffectiveSlo {
  readonly availability: string;
  readonly latencyP95Milliseconds: number;
  readonly latencyP99Milliseconds: number;
}
