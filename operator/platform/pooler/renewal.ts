import type { GuardedPatch, Scope } from '../core/component.ts';
import { type PoolerAction, type RenewTarget, targetOf } from './actions.ts';
import { RENEWED_ANNOTATION } from './names.ts';
import { noted } from './note.ts';
import type { Pooler, PoolerPod, Servers } from './observe.ts';

/** What is to be done with the poolers' connections, and what is written down once it is done. */
export interface Renewal {
  readonly actions: readonly PoolerAction[];
  readonly patches: readonly GuardedPatch[];
}

/**
 * Each pod has its older server connections given up whenever its servers have changed. That it has is written on the pod itself, after it was
 * done, so an operator that is ended in between does it again. A pod that does not answer is left out: nothing waits for it.
 */
export function renewal(scope: Scope, poolers: readonly Pooler[]): Renewal {
  const due = poolers.flatMap(({ name, servers, pods }) =>
    servers === undefined
      ? []
      : pods.flatMap((one) => (isDue(one, servers) ? [{ ...one, pooler: name, servers }] : [])),
  );
  const paused = poolers.flatMap(({ name, pods }) => pods.filter(isPaused).map(({ pod }) => targetOf(name, pod)));
  const targets = due.map(({ pod, pooler, servers }): RenewTarget => {
    const since = sinceOf(pod.metadata.annotations?.[RENEWED_ANNOTATION], servers);
    return { ...targetOf(pooler, pod), ...(since === undefined ? {} : { since: since.toISOString() }) };
  });
  return {
    actions: [
      ...(targets.length === 0 ? [] : [{ type: 'pooler.renew' as const, pods: targets }]),
      ...(paused.length === 0 ? [] : [{ type: 'pooler.resume' as const, pods: paused }]),
    ],
    patches: due.flatMap(({ pod, servers }) => noted(scope, pod, RENEWED_ANNOTATION, servers.key)),
  };
}

function isDue({ pod, reading }: PoolerPod, { key }: Servers): boolean {
  return answers({ pod, reading }) && pod.metadata.annotations?.[RENEWED_ANNOTATION] !== key;
}

function isPaused(one: PoolerPod): boolean {
  return answers(one) && one.reading?.console.ok === true && one.reading.console.value.paused;
}

function answers({ pod, reading }: PoolerPod): boolean {
  return (
    pod.metadata.deletionTimestamp === undefined && pod.status?.podIP !== undefined && reading?.console.ok === true
  );
}

/** Only when another member was the primary before can a connection that is in use lead to one that is lost. */
function sinceOf(before: string | undefined, { primary }: Servers): Date | undefined {
  if (before === undefined || primary === undefined) return undefined;
  return before.split(' ')[0] === primary.name ? undefined : primary.since;
}
