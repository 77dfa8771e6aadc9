import type { Pod } from '../../kube/resources.ts';
import type { ComponentName } from './component.ts';
import { selectorLabels } from './names.ts';
import type { Platform } from './platform.ts';
import type { ClaimTemplate } from './storage-growth.ts';

type PodSpec = NonNullable<Pod['spec']>;
type Container = PodSpec['containers'][number];
type Affinity = NonNullable<PodSpec['affinity']>;

/** Security context of a pod under the restricted Pod Security Standard. */
export function podSecurityContext(uid: number): NonNullable<PodSpec['securityContext']> {
  return {
    runAsNonRoot: true,
    runAsUser: uid,
    runAsGroup: uid,
    fsGroup: uid,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/** Security context of a container under the restricted Pod Security Standard, with nothing writable but its volumes. */
export const containerSecurityContext: NonNullable<Container['securityContext']> = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/** Spreads the pods of one component over the nodes; `required` for what must not share a node, else as far as there are nodes. */
export function spreadOverNodes(selector: Record<string, string>, strength: 'required' | 'preferred'): Affinity {
  const term = { labelSelector: { matchLabels: selector }, topologyKey: 'kubernetes.io/hostname' };
  if (strength === 'required') return { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
  return {
    podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }] },
  };
}

/** A pod lost with its node comes back elsewhere after this many seconds instead of Kubernetes' 300. */
export function quickEviction(seconds: number): NonNullable<PodSpec['tolerations']> {
  return ['not-ready', 'unreachable'].map((condition) => ({
    key: `node.kubernetes.io/${condition}`,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: seconds,
  }));
}

/**
 * A node that is lost may have run a part of the cluster's DNS, and until it is given up every other question goes there: a second is
 * waited for an answer instead of five.
 */
export const quickDns: NonNullable<PodSpec['dnsConfig']> = {
  options: [
    { name: 'timeout', value: '1' },
    { name: 'attempts', value: '3' },
  ],
};

/** Claim template of a component's data volume, named `data`. */
export function dataClaim(
  platform: Platform,
  component: ComponentName,
  storage: { readonly size: string; readonly storageClassName?: string },
): ClaimTemplate {
  return {
    // Claims outlive the platform, so they carry only the labels by which they are found again.
    metadata: { name: 'data', labels: selectorLabels(platform, component) },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: storage.size } },
      ...(storage.storageClassName === undefined ? {} : { storageClassName: storage.storageClassName }),
    },
  };
}

/** Ready as the kubelet sees it, and not on its way out. */
export function isPodReady(pod: Pod): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  return (
    pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false
  );
}

/** Ordinal of a StatefulSet's pod: 2 for `acme-redis-2`. */
export function ordinalOf(pod: Pod): number {
  return Number(/-(\d+)$/.exec(pod.metadata.name)?.[1] ?? Number.NaN);
}

/** What to do about the reasons that a container waits for; the kubelet's own messages hold times and random names. */
const remedies: Readonly<Record<string, string>> = {
  CrashLoopBackOff: 'it ends soon after each start; see kubectl logs --previous',
  CreateContainerConfigError: 'a Secret or ConfigMap that it needs is missing; see kubectl describe pod',
  ErrImagePull: 'its image cannot be pulled; see kubectl describe pod',
  ImagePullBackOff: 'its image cannot be pulled; see kubectl describe pod',
};

/** Reasons that pass by themselves. */
const starting = new Set(['ContainerCreating', 'PodInitializing']);

/** Why a pod does not run, in words that somebody on call can act on; undefined when it is ready. */
export function whyNotReady(pod: Pod): string | undefined {
  const trouble = troubleOf(pod);
  return trouble === undefined ? undefined : `pod ${pod.metadata.name} ${trouble}`;
}

/** The same as a predicate, for pods whose names are random: `waits in container api (ImagePullBackOff): ...`. */
export function troubleOf(pod: Pod): string | undefined {
  if (isPodReady(pod)) return undefined;
  if (pod.metadata.deletionTimestamp !== undefined) return 'is being deleted';
  const unscheduled = pod.status?.conditions?.find((c) => c.type === 'PodScheduled' && c.status === 'False');
  if (unscheduled !== undefined)
    return `cannot be scheduled: ${unscheduled.message ?? unscheduled.reason ?? 'no reason given'}`;
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  for (const { name: container, state } of statuses) {
    const reason = state?.waiting?.reason;
    if (reason === undefined || starting.has(reason)) continue;
    return `waits in container ${container} (${reason}): ${remedies[reason] ?? 'see kubectl describe pod'}`;
  }
  return pod.status?.phase === 'Pending' ? 'is starting' : 'is not ready';
}
