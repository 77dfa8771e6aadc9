import type { Scope } from '../core/component.ts';
import { whyNotReady } from '../core/pods.ts';
import type { Growth } from '../core/storage-growth.ts';
import { diskFindings, howFull, isFilling } from './disk-space.ts';
import { drainFinding, volumeFindings } from './drain.ts';
import { whySpared } from './ending.ts';
import type { Leadership } from './leadership.ts';
import { type Member, type Observed, sqlOf } from './observe.ts';
import { isFall, isPending, pendingOf } from './parameter-step.ts';
import { insteadOf, leftOut } from './parameters.ts';
import { isSynchronous } from './patroni-config.ts';
import type { Reason } from './reasons.ts';
import { outdatedMembers } from './revision.ts';
import { wedgeOf, windowSeconds } from './wedge.ts';

/** Something that a person should know while Postgres is serving. */
export interface Finding {
  readonly reason: Reason;
  readonly message: string;
}

/** What is not as wanted though the primary serves; the gravest first, what passes by itself before what does not. */
export function findings(
  scope: Scope,
  observed: Observed,
  { primary }: Leadership,
  names: readonly string[],
  growth: Growth,
): Finding[] {
  const { postgres } = scope.effective;
  return [
    ...loginFailing(scope, observed, primary),
    ...notStreaming(observed, primary, names),
    ...notSynchronous(isSynchronous(postgres), primary),
    ...volumeFindings(scope, observed),
    ...diskFindings(observed.members),
    ...drainFinding(scope, primary),
    ...scaleIn(postgres.instances, observed, primary),
    ...rollout(observed),
    ...storage(growth),
    ...pendingRestart(observed, primary),
    ...leftOutParameters(scope, observed),
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

/** It answers on connections that are open: nobody else would notice that it takes no more. */
function loginFailing(scope: Scope, observed: Observed, primary: Member | undefined): Finding[] {
  const { login } = observed;
  if (primary === undefined || login === undefined || login.ok) return [];
  const remedy = wedged(scope, observed, primary) ?? 'look at max_connections and at its log';
  const message = `${primary.name} takes no new connections (${login.problem}: ${login.detail}), though it answers on one that is open: ${remedy}`;
  return [{ reason: 'LoginFailing', message }];
}

/** What becomes of a primary that greets nobody; undefined when that is not what is wrong with it. */
function wedged(scope: Scope, observed: Observed, primary: Member): string | undefined {
  const wedge = wedgeOf(observed, scope.now);
  if (wedge?.holder !== primary) return undefined;
  const spared = whySpared(scope, observed, wedge);
  const what = 'its postmaster greets nobody';
  return spared === undefined
    ? `${what}, and it is ended when that has lasted ${windowSeconds(primary)} s`
    : `${what}; delete its pod to end it, which the operator does not, for ${spared}`;
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

/** How many members there are to be as it is; counted by what there is while the StatefulSet is being made anew. */
export function liveReplicas({ statefulSet, members }: Pick<Observed, 'statefulSet' | 'members'>): number {
  return statefulSet?.spec?.replicas ?? Math.max(0, ...members.map(({ ordinal }) => ordinal + 1));
}

/** Why members beyond `instances` cannot be taken away now; undefined when they can, or when there are none. */
export function scaleInObstacle(
  instances: number,
  observed: Observed,
  primary: Member | undefined,
): Finding | undefined {
  const live = liveReplicas(observed);
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

function storage({ growing, refused }: Growth): Finding[] {
  return [
    ...(growing === undefined ? [] : [{ reason: 'StorageGrowing' as const, message: growing }]),
    ...(refused === undefined ? [] : [{ reason: 'StorageChangePending' as const, message: refused }]),
  ];
}

/** By the pods: the StatefulSet's own count of what is current stands still with the strategy OnDelete. */
function rollout(observed: Observed): Finding[] {
  const outdated = outdatedMembers(observed).length;
  if (outdated === 0) return [];
  const all = observed.members.length;
  const message = `${all - outdated} of ${all} members run the new version of their pod; the others are replaced one at a time, the primary last, while all serve`;
  return [{ reason: 'RollingUpdate', message }];
}

function pendingRestart({ members }: Observed, primary: Member | undefined): Finding[] {
  const pending = members.filter(isPending);
  if (pending.length === 0) return [];
  const changes = new Map(pending.flatMap(pendingOf).map((one) => [one.name, `${one.name} (${one.from} → ${one.to})`]));
  const what = changes.size === 0 ? 'parameters' : [...changes.values()].toSorted().join(', ');
  const who = pending.map(({ name }) => name).join(', ');
  const isFalling = primary !== undefined && pendingOf(primary).some(isFall);
  const how = isFalling
    ? 'what a standby must have no less of than its primary falls on the primary first, which is restarted where it is'
    : 'one is restarted at a time, standbys first, and then the primary hands over';
  const message = `${what} takes effect with a restart of ${who}: ${how}, while every member serves`;
  return [{ reason: 'RestartPending', message }];
}

/** What nobody but the writer of the resource can mend. */
function leftOutParameters(scope: Scope, observed: Observed): Finding[] {
  const all = leftOut(scope, observed).map(({ name, value, why }) => {
    const instead = insteadOf(scope, name);
    const stays = instead === undefined ? "Postgres' own default" : instead;
    return `spec.postgres.parameters.${name} is '${value}', ${why}: it is left out, and ${stays} is in force`;
  });
  return all.length === 0 ? [] : [{ reason: 'ParametersLeftOut', message: all.join('; ') }];
}

/** Changes that go on while Postgres serves, and what each waits for. */
export interface Changes {
  readonly tls?: { readonly progress?: string };
  readonly password?: { readonly waitsFor?: string } | undefined;
}

export function changeFindings({ tls, password }: Changes): Finding[] {
  const found: Finding[] = [];
  if (tls?.progress !== undefined) found.push({ reason: 'TlsOffered', message: tls.progress });
  if (password?.waitsFor !== undefined)
    found.push({
      reason: 'PasswordRotation',
      message: `the password is being rotated, and both are valid: waits for ${password.waitsFor}`,
    });
  return found;
}

/** What keeps a member from serving, in words for somebody on call. */
export function explain(member: Member): string {
  const why = explainSilence(member);
  return sqlOf(member) === undefined && isFilling(member) ? `${why}; ${howFull(member)}` : why;
}

function explainSilence({ name, pod, reading }: Member): string {
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
