import { resources, type Secret } from '../../../kube/resources.ts';
import { bundleFile } from '../../certificates/bundle.ts';
import { readLeaf } from '../../certificates/leaf.ts';
import type { GuardedPatch, Scope } from '../../core/component.ts';
import { namespaceOf } from '../../core/names.ts';
import { offersTls } from '../../postgres/tls/names.ts';
import { type PoolerAction, targetOf } from '../actions.ts';
import { poolerName } from '../names.ts';
import { noted } from '../note.ts';
import { type TlsPod, tlsPods } from './facts.ts';
import { poolerTlsSecretName, RELOADED_ANNOTATION } from './names.ts';
import type { PoolerTls } from './wanted.ts';

/** What poolers read anew, and what is written down once they have. */
export interface Reloads {
  readonly actions: readonly PoolerAction[];
  readonly patches: readonly GuardedPatch[];
  readonly requeueAfterMs?: number;
}

/**
 * A kubelet brings changed files within about two minutes, and nobody sees when: a pooler is told to read them anew until it shows that it has. Not more often than this, for it
 * also makes every connection to a server anew.
 */
const AGAIN_MS = 15_000;

/**
 * Pure: who is to read its files anew, because it shows another certificate than it was given, runs with another bundle, or demands of its clients what it should not, or not what it
 * should. When it was told is written on the pod itself, after it was done. One that does not answer is left out.
 */
export function poolerReloads(scope: Scope, tls: PoolerTls): Reloads {
  const { children, platform, now } = scope;
  const ref = { resource: resources.secrets, namespace: namespaceOf(platform), name: poolerTlsSecretName(platform) };
  const leaf = readLeaf(children.get<Secret>(ref))?.id;
  const bundle = bundleFile(tls.bundle);
  const isBehind = ({ pod, reading }: TlsPod) =>
    offersTls(pod) &&
    pod.metadata.deletionTimestamp === undefined &&
    pod.status?.podIP !== undefined &&
    reading !== undefined &&
    ((leaf !== undefined && reading.presented !== leaf) || reading.bundle !== bundle || reading.demands !== tls.demand);
  const behind = tlsPods(scope).filter(isBehind);
  const due = behind.filter(({ pod }) => {
    const last = Date.parse(pod.metadata.annotations?.[RELOADED_ANNOTATION] ?? '');
    return !(now.getTime() - last < AGAIN_MS);
  });
  const pods = due.map(({ kind, pod }) => targetOf(poolerName(platform, kind), pod));
  return {
    actions: pods.length === 0 ? [] : [{ type: 'pooler.reload', pods }],
    patches: due.flatMap(({ pod }) => noted(scope, pod, RELOADED_ANNOTATION, now.toISOString())),
    ...(behind.length === 0 ? {} : { requeueAfterMs: AGAIN_MS }),
  };
}
