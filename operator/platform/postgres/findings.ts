import type { EffectivePlatform } from '../core/effective.ts';
import { whyNotReady } from '../core/pods.ts';
import type { Leadership } from './leadership.ts';
import { type Member, type Observed, sqlOf } from './observe.ts';
import { isSynchronous } from './patroni-config.ts';
import type { Reason } from './reasons.ts';
import { liveClaim, storageOf } from './statefulset.ts';

/** Something that a person should know while Postgres is serving. */
export interface Finding {
  readonly reason: Reason;
  readonly message: string;
}

/** What is not as wanted though the primary serves; the gravest first, what passes by itself before what does not. */
export function findings(
  { postgres }: EffectivePlatform,
  observed: Observed,
  { primary }: Leadership,
  names: readonly string[],
): Finding[] {
  return [
    ...notStreaming(observed, primary, names),
    ...notSynchronous(isSynchronous(postgres), primary),
    ...scaleIn(postgres.instances, observed, primary),
    ...rollout(observed),
    ...storage(postgres.storage, observed),
    ...pendingRestart(observed),
  ];
}

/** Names of the standbys that stream from the primary. */
export function streamingNames(primary: Member | undefined): ReadonlySet<string> {
  const standbys = sqlOf(primary)?.standbys ?? [];
  return new Set(standbys.filter(({ state }) => state === 'streaming').map(({ name }) => name));
}

function notStreaming({ members }: Observed, primary: Member | undefined, names: readonly string[]): Finding[] {
  const streaming = streamingNames(primary);
  const absent = names.filter((name) => name !== primary?.name && !streaming.has(name));
  if (absent.length === 0) return [];
  const reasons = absent.map((name) => {
    const member = members.find((one) => one.name === name);
    return member === undefined ? `pod ${name} does not exist yet` : explain(member);
  });
  return [
    {
      reason: 'MembersNotStreaming',
      message: `${names.length - absent.length} of ${names.length} members serve: ${reasons.join('; ')}`,
    },
  ];
}

function notSynchronous(wanted: boolean, primary: Member | undefined): Finding[] {
  const standbys = sqlOf(primary)?.standbys ?? [];
  if (!wanted || standbys.some(({ sync }) => sync === 'sync' || sync === 'quorum')) return [];
  return [
    {
      reason: 'NoSynchronousStandby',
      message: 'commits are acknowledged by the primary alone, and nobody can take over, until a standby has caught up',
    },
  ];
}

function scaleIn(instances: number, observed: Observed, primary: Member | undefined): Finding[] {
  const obstacle = scaleInObstacle(instances, observed, primary);
  return obstacle === undefined ? [] : [obstacle];
}

/** Why members beyond `instances` cannot be taken away now; undefined when they can, or when there are none. */
export function scaleInObstacle(
  instances: number,
  { statefulSet }: Observed,
  primary: Member | undefined,
): Finding | undefined {
  const live = statefulSet?.spec?.replicas ?? 0;
  if (live <= instances) return undefined;
  if (primary === undefined)
    return { reason: 'ScaleInWaits', message: `${live} members stay until there is a primary` };
  if (primary.ordinal >= instances) {
    const message = `${live} members stay, since ${primary.name}, which would be taken away, is the primary: it hands over to a member below ordinal ${instances} as soon as all stream`;
    return { reason: 'PrimaryOnOrdinalToRemove', message };
  }
  const stem = primary.name.replace(/\d+$/, '');
  const streaming = streamingNames(primary);
  const behind = Array.from({ length: instances }, (_, ordinal) => `${stem}${ordinal}`).filter(
    (name) => name !== primary.name && !streaming.has(name),
  );
  if (behind.length === 0) return undefined;
  const message = `${live} members stay until those that remain stream: ${behind.join(', ')} does not`;
  return { reason: 'ScaleInWaits', message };
}

function storage(wanted: { size: string; storageClassName?: string }, { statefulSet }: Observed): Finding[] {
  const claim = liveClaim(statefulSet);
  if (claim === undefined) return [];
  const live = storageOf(claim);
  const isSameClass = wanted.storageClassName === live.storageClassName;
  if (wanted.size === live.size && isSameClass) return [];
  const name = (one: { size?: string; storageClassName?: string }) =>
    `${one.size ?? 'no size'} of class ${one.storageClassName ?? 'default'}`;
  const message = `the volumes have ${name(live)} and stay so; ${name(wanted)} is wanted: set storage back, or make the claims data-<pod> larger by hand where the class allows it`;
  return [{ reason: 'StorageChangePending', message }];
}

function rollout({ statefulSet }: Observed): Finding[] {
  const { replicas = 0 } = statefulSet?.spec ?? {};
  const { updatedReplicas = 0, currentRevision, updateRevision } = statefulSet?.status ?? {};
  if (updateRevision === undefined || currentRevision === updateRevision || updatedReplicas >= replicas) return [];
  const message = `${updatedReplicas} of ${replicas} members run the new version of their pod; the others are replaced one at a time, the primary last, while all serve`;
  return [{ reason: 'RollingUpdate', message }];
}

function pendingRestart({ members }: Observed): Finding[] {
  const names = members
    .filter(({ reading }) => reading?.value.patroni.ok === true && reading.value.patroni.value.pendingRestart)
    .map(({ name }) => name);
  if (names.length === 0) return [];
  const message = `parameters were changed that take effect with a restart of ${names.join(', ')}: delete these pods one at a time, the primary last`;
  return [{ reason: 'RestartPending', message }];
}

/** Changes that go on while Postgres serves, and what each waits for. */
export interface Changes {
  readonly tls?: { readonly waitsFor?: string };
  readonly password?: { readonly waitsFor?: string } | undefined;
}

export function changeFindings({ tls, password }: Changes): Finding[] {
  const found: Finding[] = [];
  if (tls?.waitsFor !== undefined)
    found.push({
      reason: 'TlsOffered',
      message: `TLS is offered and not demanded yet: it waits for ${tls.waitsFor}`,
    });
  if (password?.waitsFor !== undefined)
    found.push({
      reason: 'PasswordRotation',
      message: `the password is being rotated, and both are valid: waits for ${password.waitsFor}`,
    });
  return found;
}

/** What keeps a member from serving, in words for somebody on call. */
export function explain({ name, pod, reading }: Member): string {
  const isUp = pod.metadata.deletionTimestamp === undefined && pod.status?.containerStatuses?.[0]?.state?.running;
  if (!isUp) return whyNotReady(pod) ?? `pod ${name} has just started`;
  if (reading === undefined) return `${name} has not been asked yet`;
  const { patroni, sql } = reading.value;
  if (patroni.ok) {
    const { state, role } = patroni.value;
    if (sql.ok) return `${name} is ${state} as ${sql.value.inRecovery ? 'replica' : 'primary'}`;
    return `${name} is ${state} as ${role}, and Postgres does not answer (${sql.problem}: ${sql.detail})`;
  }
  if (sql.ok) return `Postgres on ${name} answers, but Patroni does not (${patroni.problem}: ${patroni.detail})`;
  return `${name} does not answer (${sql.problem}: ${sql.detail})`;
}
