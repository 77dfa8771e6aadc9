import type { Pod } from '../../kube/resources.ts';
import type { KubeObject, ObjectRef } from '../../kube/types.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { EffectivePlatform } from './effective.ts';
import type { Platform, PlatformStatus } from './platform.ts';

/** The parts of a platform in the order in which they depend on each other; also the value of `isp.support/component`. */
export type ComponentName =
  | 'credentials'
  | 'certificates'
  | 'postgres'
  | 'redis'
  | 'rabbitmq'
  | 'migrations'
  | 'api'
  | 'worker'
  | 'beat'
  | 'pooler';

/** The platform's own objects as the cache has them: read only, and of each kind only the fields named in trim.ts. */
export interface Children {
  get<T extends KubeObject>(ref: ObjectRef): T | undefined;
  /** Objects of one kind that carry the platform's label and, where given, the component's. */
  list<T extends KubeObject>(resource: ObjectRef['resource'], component?: ComponentName): readonly T[];
  /** The pod of this name that was deleted last, as it was when it went; forgotten after some minutes and at a restart of the operator. */
  departed?(name: string): Pod | undefined;
}

/**
 * The newest result of each of a platform's probes. A probe runs beside the reconcile on its own clock; whenever its result changes in
 * a way that matters, the platform's key goes back into the queue.
 */
export interface ProbeResults {
  get<R>(probe: string): ProbeResult<R> | undefined;
}

export interface ProbeResult<R> {
  readonly value: R;
  /** When the probe ended. */
  readonly at: Date;
}

/** What every component is given to look at. Nothing in it does I/O. */
export interface Scope {
  readonly platform: Platform;
  readonly effective: EffectivePlatform;
  readonly children: Children;
  /** What a deleted platform of this name has left; while there is some, nothing is carried out. Not among the children. */
  readonly leftovers: readonly KubeObject[];
  readonly probes: ProbeResults;
  readonly now: Date;
}

/** What a component decided: data only, so that every decision is a table test. */
export interface ComponentPlan {
  /** Objects to apply, in order, each the full intent. Owner, labels and namespace are added by the reconcile. */
  readonly objects: readonly KubeObject[];
  /** Objects to create where they are missing, and never to touch again: generated credentials, first replica counts. */
  readonly creates?: readonly KubeObject[];
  /** Replica counts that are ours to set. They are a field of their own, so that leaving one to an autoscaler takes nothing away. */
  readonly scales?: readonly Scale[];
  /** Objects to delete. */
  readonly remove?: readonly Removal[];
  /** What to do beyond applying, in order; each one idempotent and bounded in time. */
  readonly actions?: readonly Action[];
  /** Changes to objects that belong to the engine, after the actions and only when all of them succeeded; the first that fails ends them. */
  readonly patches?: readonly GuardedPatch[];
  readonly condition: ConditionPlan;
  /** The component's part of the status. */
  readonly status?: Partial<PlatformStatus>;
  readonly events?: readonly EventPlan[];
  /** Whether what depends on this component may go on. Default: the condition is True. */
  readonly satisfied?: boolean;
  /** Look again after this time even if nothing changes. */
  readonly requeueAfterMs?: number;
}

export interface Removal {
  readonly ref: ObjectRef;
  readonly uid?: string;
  readonly gracePeriodSeconds?: number;
  /** What it owns stays, and belongs to nobody. */
  readonly orphan?: true;
}

/** A compare-and-set: the operations (RFC 6902) are carried out only on this very version of the object, or of the one with this UID. */
export interface GuardedPatch {
  readonly ref: ObjectRef;
  readonly guard: { readonly resourceVersion: string } | { readonly uid: string };
  readonly operations: readonly JsonOperation[];
}

export type JsonOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

export interface Scale {
  readonly ref: ObjectRef;
  readonly replicas: number;
}

export interface Action {
  readonly type: string;
}

export type ConditionStatus = 'True' | 'False' | 'Unknown';

export interface ConditionPlan {
  /** e.g. `PostgresReady`; components without a condition of their own (credentials, migrations, beat) report into a phase only. */
  readonly type?: ConditionType;
  readonly status: ConditionStatus;
  /** CamelCase. */
  readonly reason: string;
  /** For a person on call: what, which object, what it waits for, what to do. No times, no random names. */
  readonly message: string;
  /** Serving with less redundancy or capacity than wanted: makes the platform Degraded even while the status is True. */
  readonly degraded?: boolean;
  /** A change is being rolled out or a first start is under way. */
  readonly progressing?: boolean;
}

export type ConditionType = 'PostgresReady' | 'RedisReady' | 'RabbitMQReady' | 'ApiReady' | 'WorkersReady';

export interface EventPlan {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

/** What a component needs to act and to probe: credentials are read from the cached Secrets through `children`. */
export interface ActionContext {
  readonly scope: Scope;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly objects: ObjectWriter;
}

/** Writes of objects whose content is only made while an action is carried out, such as keys. */
export interface ObjectWriter {
  /** Makes an object with the platform's labels and ownership; one that is there already is left as it is. */
  create(object: KubeObject): Promise<void>;
  /** Rejects when the object is no longer what it was when this was decided. */
  patch(patch: GuardedPatch): Promise<void>;
}

/** A recurring question to the running system. */
export interface ProbeDefinition<R> {
  /** Unique within the platform, e.g. `postgres/acme-postgres-0`. */
  readonly name: string;
  /** Component for metrics. */
  readonly component: ComponentName;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Where and how to ask; a change of it starts the probe anew. */
  readonly target: string;
  /** With what to ask. A change of it starts the probe anew as well, of the same target, so that the last result stands until the next. */
  readonly means?: string;
  /** Asks once. Must not throw for what is a finding (refused, timed out): that is a value. */
  run(signal: AbortSignal): Promise<R>;
  /** Whether the platform must be looked at again. Default: any difference as JSON. */
  changed?(before: R | undefined, after: R): boolean;
  /** For isp_component_probe_success. */
  successful(value: R): boolean;
  /** Figures for metrics, by name; none when there is no answer. */
  measures?(value: R): Readonly<Record<string, number>>;
  /** Called once, before the first run: gives the probe a way to be run now instead of at its next turn, as when a connection breaks. */
  wakeBy?(wake: () => void): void;
  /** Lets go of what the probe holds open; called once, when the probe is no longer wanted. */
  close?(): void;
}

/** One component of the platform. */
export interface Component {
  readonly name: ComponentName;
  /** Components whose plan must be satisfied first; their state is in `blockedBy`. */
  readonly dependsOn: readonly ComponentName[];
  /** The probes wanted for what is there now; called at every reconcile. */
  probes(scope: Scope): readonly ProbeDefinition<unknown>[];
  /** Pure. `blockedBy`: dependencies that are not satisfied yet, with their reasons. */
  plan(scope: Scope, blockedBy: readonly BlockedBy[]): ComponentPlan;
  /** Carries out one action of the plan. */
  act?(action: Action, context: ActionContext): Promise<void>;
}

export interface BlockedBy {
  readonly component: ComponentName;
  readonly reason: string;
}
