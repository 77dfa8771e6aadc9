import { type ConfigMap, type Pod, resources, type StatefulSet } from '../../kube/resources.ts';
import type { ProbeResult, Scope } from '../core/component.ts';
import { labels, namespaceOf } from '../core/names.ts';
import { ordinalOf } from '../core/pods.ts';
import type { DiskReading, DiskSpace } from './disk-space.ts';
import type { LogPosition } from './log-position.ts';
import { clusterName, PRIMARY_ROLE, patroniStateNames } from './names.ts';
import type { ParameterFacts } from './parameter-facts.ts';
import type { Answer, GreetingReading, MemberReading, SqlView } from './reading.ts';
import type { CanaryReading } from './write-canary.ts';

/** One member: its pod and the newest reading of it. */
export interface Member {
  readonly name: string;
  readonly ordinal: number;
  readonly pod: Pod;
  readonly reading?: ProbeResult<MemberReading>;
  /** The room on its volume, as it was told last. */
  readonly disk?: DiskSpace;
  /** Where it is in the log; undefined before it was asked, or when it did not answer. */
  readonly log?: LogPosition;
  /** Whether the lock's holder greets it; undefined unless it was asked to look. */
  readonly greeting?: ProbeResult<GreetingReading>;
  /** Carries the label by which the primary Service finds it. */
  readonly labelledPrimary: boolean;
}

/** The leader lock as Patroni wrote it. */
export interface LeaderLock {
  readonly holder: string;
  readonly acquiredAt?: Date;
  /** By the holder's clock. */
  readonly renewedAt?: Date;
  /** Version of the ConfigMap, which every renewal changes. */
  readonly version?: string;
}

/** Whom Patroni lets take over, as the primary registered them (`<scope>-sync`). */
export interface SyncState {
  readonly leader: string;
  /** The standbys of which each acknowledged commit is on all but `quorum`. */
  readonly voters: readonly string[];
  readonly quorum: number;
  readonly version: string | undefined;
  /** The last time that the operator has held standbys and outdated this. */
  readonly held?: Held | undefined;
}

/** Standbys were held, so that a primary of theirs can't have commits confirmed. */
export interface Held {
  /** UID of the primary's pod; its name where that was not known. */
  readonly against: string;
  readonly at: Date;
}

/** Annotation with whom the standbys are held against, and since when. */
export const HELD_ANNOTATION = 'isp.support/fenced';

export function heldText({ against, at }: Held): string {
  return `${against} ${at.toISOString()}`;
}

/** Everything about Postgres that decisions are made from. */
export interface Observed {
  readonly statefulSet: StatefulSet | undefined;
  /** By ordinal. */
  readonly members: readonly Member[];
  readonly lock: LeaderLock | undefined;
  /** Primary that Patroni has registered as replicating synchronously; undefined until it has done so for the first time. */
  readonly syncLeader: string | undefined;
  readonly sync?: SyncState | undefined;
  /** The pod of the lock's holder as it was when it went, if one went lately. */
  readonly departed?: Pod | undefined;
  /** Patroni's dynamic configuration; undefined before the first member is bootstrapped. */
  readonly config: unknown;
  /** The application's own way in; undefined before it was tried. */
  readonly login: Answer<true> | undefined;
  /** Commits on the primary; undefined before one was tried. */
  readonly canary?: CanaryReading | undefined;
  /** Whether the lock's holder greets the operator; undefined unless there was reason to look. */
  readonly greeting?: ProbeResult<GreetingReading> | undefined;
  /** What Postgres makes of the resource's own parameters; undefined before it was asked, or when there are none. */
  readonly parameterFacts?: Answer<ParameterFacts> | undefined;
}

export function memberProbeName(pod: Pod): string {
  return `postgres/${pod.metadata.name}`;
}

export function diskProbeName(pod: Pod): string {
  return `postgres/disk/${pod.metadata.name}`;
}

export function logProbeName(pod: Pod): string {
  return `postgres/log/${pod.metadata.name}`;
}

export function greetingProbeName(pod: Pod): string {
  return `${GREETING_PROBE}/${pod.metadata.name}`;
}

export const GREETING_PROBE = 'postgres/greeting';
export const CANARY_PROBE = 'postgres/commit';
export const LOGIN_PROBE = 'postgres/login';
export const PARAMETERS_PROBE = 'postgres/parameters';

export function observe(scope: Scope): Observed {
  const { children, platform, probes } = scope;
  const namespace = namespaceOf(platform);
  const state = patroniStateNames(platform);
  const configMap = (name: string) => children.get<ConfigMap>({ resource: resources.configMaps, namespace, name });
  const set = { resource: resources.statefulSets, namespace, name: clusterName(platform) };
  const lock = readLock(configMap(state.leader));
  const sync = readSync(configMap(state.sync));
  return {
    statefulSet: children.get<StatefulSet>(set),
    members: memberPods(scope).map((pod) => toMember(scope, pod)),
    lock,
    syncLeader: sync?.leader,
    sync,
    departed: lock === undefined ? undefined : children.departed?.(lock.holder),
    config: patroniConfig(scope),
    login: probes.get<Answer<true>>(LOGIN_PROBE)?.value,
    canary: probes.get<CanaryReading>(CANARY_PROBE)?.value,
    greeting: probes.get<GreetingReading>(GREETING_PROBE),
    parameterFacts: probes.get<Answer<ParameterFacts>>(PARAMETERS_PROBE)?.value,
  };
}

/** The members' pods by ordinal. */
export function memberPods({ children, platform }: Scope): Pod[] {
  const prefix = `${clusterName(platform)}-`;
  return children
    .list<Pod>(resources.pods, 'postgres')
    .filter((pod) => pod.metadata.name.startsWith(prefix) && Number.isInteger(ordinalOf(pod)))
    .toSorted((a, b) => ordinalOf(a) - ordinalOf(b));
}

function toMember({ probes }: Scope, pod: Pod): Member {
  const reading = probes.get<MemberReading>(memberProbeName(pod));
  const disk = probes.get<DiskReading>(diskProbeName(pod))?.value.space;
  const log = probes.get<Answer<LogPosition>>(logProbeName(pod))?.value;
  const greeting = probes.get<GreetingReading>(greetingProbeName(pod));
  return {
    name: pod.metadata.name,
    ordinal: ordinalOf(pod),
    pod,
    ...(reading === undefined ? {} : { reading }),
    ...(disk === undefined ? {} : { disk }),
    ...(log?.ok === true ? { log: log.value } : {}),
    ...(greeting === undefined ? {} : { greeting }),
    labelledPrimary: pod.metadata.labels?.[labels.role] === PRIMARY_ROLE,
  };
}

function readLock(leader: ConfigMap | undefined): LeaderLock | undefined {
  const { leader: holder, acquireTime, renewTime } = leader?.metadata.annotations ?? {};
  if (holder === undefined || holder === '') return undefined;
  const acquiredAt = readTime(acquireTime);
  const renewedAt = readTime(renewTime);
  const version = leader?.metadata.resourceVersion;
  return {
    holder,
    ...(acquiredAt === undefined ? {} : { acquiredAt }),
    ...(renewedAt === undefined ? {} : { renewedAt }),
    ...(version === undefined ? {} : { version }),
  };
}

function readTime(text: string | undefined): Date | undefined {
  const time = new Date(text ?? '');
  return Number.isNaN(time.getTime()) ? undefined : time;
}

function readSync(sync: ConfigMap | undefined): SyncState | undefined {
  const { leader, sync_standby: standbys = '', quorum, [HELD_ANNOTATION]: held } = sync?.metadata.annotations ?? {};
  if (leader === undefined || leader === '') return undefined;
  const voters = standbys.split(',').filter((name) => name !== '' && name !== leader);
  return { leader, voters, quorum: Number(quorum ?? 0), version: sync?.metadata.resourceVersion, held: readHeld(held) };
}

function readHeld(text = ''): Held | undefined {
  const [against = '', time] = text.split(' ');
  const at = readTime(time);
  return at === undefined ? undefined : { against, at };
}

/** Patroni's dynamic configuration; undefined before the first member is bootstrapped. */
export function patroniConfig({ children, platform }: Scope): unknown {
  const name = patroniStateNames(platform).config;
  const ref = { resource: resources.configMaps, namespace: namespaceOf(platform), name };
  return parseConfig(children.get<ConfigMap>(ref)?.metadata.annotations?.config);
}

function parseConfig(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Not ours to repair: as if Patroni had none, so nothing is patched on the strength of it.
    return undefined;
  }
}

/** What Postgres on this member answered last; undefined when it did not. */
export function sqlOf(member: Member | undefined): SqlView | undefined {
  const sql = member?.reading?.value.sql;
  return sql?.ok === true ? sql.value : undefined;
}

/** Takes writes, as far as Postgres itself says. */
export function isWritable(member: Member): boolean {
  return sqlOf(member)?.inRecovery === false;
}

/** Its pod is on its way out. */
export function isLeaving({ pod }: Member): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}
