import type { KubeObject } from '../../kube/types.ts';
import type { Condition } from '../../runtime/conditions.ts';
import type { PlatformSpec } from '../schema/spec.ts';

/** An IspSupportPlatform as the API server has it. */
export interface Platform extends KubeObject {
  readonly spec?: PlatformSpec;
  readonly status?: PlatformStatus;
}

export interface PlatformStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  /** Customers of the tier in force. */
  customers?: number;
  /** `ready` is `readyReplicas/wanted`, for the column. */
  api?: { replicas: number; readyReplicas: number; ready: string; selector: string };
  /** Version of the operator that wrote this. */
  version?: string;
  postgres?: {
    primary?: string;
    timeline?: number;
    members?: PostgresMemberStatus[];
    passwordRotation?: PasswordRotationStatus;
  };
  pooler?: PoolerStatus;
  redis?: {
    mode: string;
    state: string;
    masters: number;
    replicas: number;
    slotsAssigned: number;
    /** Present while slots are moved between shards: from how many shards to how many, and slots moved of all that are to be. */
    resharding?: { from: number; to: number; moved: number; total: number };
    passwordRotation?: PasswordRotationStatus;
    /** Pods that are the primaries or were the last that are known to be, by shard. */
    primaries?: string[];
    /** Present while primaries could be spread better over the Kubernetes nodes, and nothing else is under way. */
    crowded?: { node: string; primaries: number; since: string };
    lastFailover?: FailoverStatus;
  };
  rabbitmq?: {
    runningNodes: string[];
    quorumCritical: string[];
    bootRestarts?: { pod: string; count: number }[];
    /** Present while nodes or replicas of queues come or go. */
    membership?: { name: string; node: string; message?: string };
    passwordRotation?: PasswordRotationStatus;
  };
  workers?: WorkerPoolStatus[];
  lastFailover?: FailoverStatus;
  lastSwitchover?: SwitchoverStatus;
  certificates?: CertificatesStatus;
  lastRestart?: RestartStatus;
  /** Alerts that an Alertmanager is being told of. */
  alerts?: AlertStatus[];
}

export interface PasswordRotationStatus {
  request: string;
  phase: string;
  username?: string;
  message?: string;
}

export interface CertificatesStatus {
  /** The authority that signs. */
  authority: string;
  authorityExpires: string;
  trusted: string[];
  leaves: { name: string; id: string; expires: string }[];
  rotation?: { phase: string; request?: string; message?: string };
}

export interface AlertStatus {
  name: string;
  component: string;
  /** When the failover that it is about was noticed. */
  failover: string;
  summary: string;
  description: string;
  startsAt: string;
  acceptedAt?: string;
  endsAt?: string;
}

export interface SwitchoverStatus {
  request: string;
  reason?: string;
  from?: string;
  to?: string;
  outcome: string;
  message?: string;
  startedAt?: string;
  finishedAt?: string;
}

export interface RestartStatus {
  member: string;
  reason: string;
  parameters?: string[];
  outcome: string;
  message?: string;
  startedAt?: string;
  finishedAt?: string;
}

export interface PostgresMemberStatus {
  name: string;
  role: string;
  state: string;
  lagBytes?: number;
}

/** Present while the pooler is wanted. */
export interface PoolerStatus {
  writes: { replicas: number; readyReplicas: number };
  reads: { replicas: number; readyReplicas: number };
}

export interface WorkerPoolStatus {
  name: string;
  replicas: number;
  readyReplicas: number;
  /** Messages of its queues, ready and unacknowledged; absent while they cannot be read. */
  queueLength?: number;
  /** Replicas that the backlog asks for, within the bounds; absent while it is not known, and for a fixed number. */
  desiredReplicas?: number;
  /** Replicas that may have a task in hand. */
  busyReplicas?: number;
  /** When the oldest message that nobody has in hand came. */
  oldestMessageAt?: string;
  /** Since when fewer replicas would do, and the most that were needed since. */
  lowSince?: string;
  lowPeak?: number;
  /** The latest change of the number by the backlog. */
  lastScale?: { from: number; to: number; reason: string; at: string };
}

export interface FailoverStatus {
  component: string;
  from?: string;
  to?: string;
  reason: string;
  detectedAt?: string;
  fencedAt?: string;
  promotedAt?: string;
  servingAt?: string;
  redundantAt?: string;
  step?: string;
  podUID?: string;
  proof?: string;
  message?: string;
  refusedAt?: string;
  rtoSeconds?: number;
  outcome: string;
}
