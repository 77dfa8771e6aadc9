import { createHash } from 'node:crypto';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../../../operator/kube/errors.ts';
import {
  type Deployment,
  type Job,
  type PersistentVolumeClaim,
  type Pod,
  resources,
  type StatefulSet,
} from '../../../operator/kube/resources.ts';
import type { KubeObject, ObjectRef } from '../../../operator/kube/types.ts';
import { labels } from '../../../operator/platform/core/names.ts';

const REVISION_LABEL = 'controller-revision-hash';
const STARTED = '2020-01-01T00:00:00Z';

/** A Deployment whose pods are all ready. There are none: nobody asks for them. */
export async function rollOut(client: KubeClient, deployment: Deployment): Promise<void> {
  const replicas = deployment.spec?.replicas ?? 1;
  await writeStatus(client, resources.deployments, deployment, {
    observedGeneration: deployment.metadata.generation,
    replicas,
    updatedReplicas: replicas,
    readyReplicas: replicas,
    availableReplicas: replicas,
  });
}

/** A Job that succeeds at once. */
export async function succeed(client: KubeClient, job: Job): Promise<void> {
  await writeStatus(client, resources.jobs, job, { startTime: STARTED, succeeded: 1 });
}

/**
 * A StatefulSet with its claims and pods, each ready at once. Pods of an earlier template are replaced, all at once, unless the set's
 * strategy leaves that to others.
 */
export async function runSet(
  client: KubeClient,
  set: StatefulSet,
  pods: readonly Pod[],
  addressOf: (pod: Pod) => string = () => '10.1.0.1',
  nodeOf: (pod: string) => string | undefined = () => undefined,
): Promise<void> {
  const { spec } = set;
  if (spec === undefined) return;
  const replicas = spec.replicas ?? 1;
  const revision = revisionOf(set);
  let outdated = 0;
  for (let ordinal = 0; ordinal < replicas; ordinal += 1) {
    const name = `${set.metadata.name}-${ordinal}`;
    await claimsOf(client, set, name);
    const pod = pods.find(({ metadata }) => metadata.name === name);
    const isOutdated = pod !== undefined && pod.metadata.labels?.[REVISION_LABEL] !== revision;
    if (isOutdated) outdated += 1;
    if (pod === undefined) await startPod(client, set, name, revision, nodeOf(name));
    // As the kubelet does: the server marks a pod and deletes it in two steps, of which a client that goes away may leave the second undone.
    else if (pod.metadata.deletionTimestamp !== undefined) await endPod(client, pod);
    else if (isOutdated && spec.updateStrategy?.type !== 'OnDelete') await endPod(client, pod);
    else await keepPod(client, set, pod, addressOf(pod));
  }
  await writeStatus(client, resources.statefulSets, set, {
    observedGeneration: set.metadata.generation,
    replicas,
    readyReplicas: replicas,
    availableReplicas: replicas,
    currentReplicas: replicas,
    updatedReplicas: replicas - outdated,
    currentRevision: revision,
    updateRevision: revision,
  });
}

/** Of the template alone: the same for the same platform in another namespace. */
function revisionOf({ metadata: { name, namespace = '' }, spec }: StatefulSet): string {
  const template = JSON.stringify(spec?.template).replaceAll(namespace, '');
  return `${name}-${createHash('sha256').update(template).digest('hex').slice(0, 10)}`;
}

/** A provisioner that has a volume for every claim, as large as is asked for. */
export async function bind(client: KubeClient, claim: PersistentVolumeClaim): Promise<void> {
  const capacity = { storage: claim.spec?.resources?.requests?.['storage'] };
  await writeStatus(client, resources.persistentVolumeClaims, claim, { phase: 'Bound', capacity });
}

/** The garbage collector's part in the deletion of a StatefulSet whose pods are to stay: they lose their owner, and then it goes. */
export async function orphan(client: KubeClient, set: StatefulSet, pods: readonly Pod[]): Promise<void> {
  const { uid, finalizers = [] } = set.metadata;
  if (set.metadata.deletionTimestamp === undefined || !finalizers.includes('orphan')) return;
  for (const pod of pods)
    if (pod.metadata.ownerReferences?.some((owner) => owner.uid === uid))
      await patch(client, refTo(resources.pods, pod), { metadata: { ownerReferences: null } });
  const rest = finalizers.filter((finalizer) => finalizer !== 'orphan');
  await patch(client, refTo(resources.statefulSets, set), { metadata: { finalizers: rest } });
}

async function claimsOf(client: KubeClient, set: StatefulSet, pod: string): Promise<void> {
  for (const template of set.spec?.volumeClaimTemplates ?? []) {
    const { namespace = '' } = set.metadata;
    const metadata = {
      name: `${template.metadata?.name ?? ''}-${pod}`,
      namespace,
      labels: template.metadata?.labels ?? {},
    };
    const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec: template.spec };
    await makeOnce(client, claim as PersistentVolumeClaim);
  }
}

async function startPod(
  client: KubeClient,
  set: StatefulSet,
  name: string,
  revision: string,
  nodeName: string | undefined,
): Promise<void> {
  const { namespace = '' } = set.metadata;
  const template = set.spec?.template;
  const isPostgres = set.metadata.labels?.[labels.component] === 'postgres';
  const metadata = {
    name,
    namespace,
    annotations: template?.metadata?.annotations ?? {},
    labels: {
      ...template?.metadata?.labels,
      [REVISION_LABEL]: revision,
      // As Patroni labels its own pod.
      ...(isPostgres ? { [labels.role]: 'primary' } : {}),
    },
    ownerReferences: [ownerOf(set)],
  };
  const claims = (set.spec?.volumeClaimTemplates ?? []).map(({ metadata: claim }) => ({
    name: claim?.name ?? '',
    persistentVolumeClaim: { claimName: `${claim?.name ?? ''}-${name}` },
  }));
  const volumes = [...(template?.spec?.volumes ?? []), ...claims];
  const spec = { ...template?.spec, ...(nodeName === undefined ? {} : { nodeName }), volumes };
  await makeOnce(client, { apiVersion: 'v1', kind: 'Pod', metadata, spec } as Pod);
}

async function endPod(client: KubeClient, pod: Pod): Promise<void> {
  const { uid = '' } = pod.metadata;
  try {
    await client.delete(refTo(resources.pods, pod), { uid, gracePeriodSeconds: 0 });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

async function keepPod(client: KubeClient, set: StatefulSet, pod: Pod, podIP: string): Promise<void> {
  // One that is of nobody, and has its labels, is taken in.
  if (pod.metadata.ownerReferences === undefined)
    await patch(client, refTo(resources.pods, pod), { metadata: { ownerReferences: [ownerOf(set)] } });
  const containerStatuses = (pod.spec?.containers ?? []).map(({ name, image = '' }) => ({
    name,
    image,
    imageID: image,
    ready: true,
    restartCount: 0,
    state: { running: { startedAt: STARTED } },
  }));
  await writeStatus(client, resources.pods, pod, {
    phase: 'Running',
    podIP,
    podIPs: [{ ip: podIP }],
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses,
  });
}

function ownerOf({ metadata: { name, uid } }: StatefulSet): object {
  return { apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid, controller: true };
}

/** Writes the parts of a status that are not so already. */
async function writeStatus(
  client: KubeClient,
  resource: ObjectRef['resource'],
  object: KubeObject & { readonly status?: unknown },
  wanted: Record<string, unknown>,
): Promise<void> {
  const present = (object.status ?? {}) as Record<string, unknown>;
  const isSame = Object.entries(wanted).every(([key, value]) => includes(present[key], value));
  if (!isSame) await patch(client, refTo(resource, object), { status: wanted }, 'status');
}

/** Whether `actual` has everything of `wanted`: the API server adds defaults, and leaves zeros out. */
function includes(actual: unknown, wanted: unknown): boolean {
  if (wanted === 0) return actual === undefined || actual === 0;
  if (typeof wanted !== 'object' || wanted === null) return actual === wanted;
  const present = (actual ?? {}) as Record<string, unknown>;
  return Object.entries(wanted).every(([key, value]) => includes(present[key], value));
}

/** What is gone or was changed since is looked at again when the change arrives. */
async function patch(client: KubeClient, ref: ObjectRef, body: unknown, subresource?: string): Promise<void> {
  try {
    await client.patch(ref, { type: 'merge', body, subresource });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

export async function makeOnce(client: KubeClient, object: KubeObject): Promise<void> {
  try {
    await client.create(object);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

export function refTo(resource: ObjectRef['resource'], { metadata }: KubeObject): ObjectRef {
  return { resource, namespace: metadata.namespace, name: metadata.name };
}
