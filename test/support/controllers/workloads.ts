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

/** A StatefulSet with its claims and pods, each ready at once and always of the newest template. */
export async function runSet(client: KubeClient, set: StatefulSet, pods: readonly Pod[]): Promise<void> {
  const { spec } = set;
  if (spec === undefined) return;
  const replicas = spec.replicas ?? 1;
  const revision = `revision-${set.metadata.generation ?? 0}`;
  for (let ordinal = 0; ordinal < replicas; ordinal += 1) {
    const name = `${set.metadata.name}-${ordinal}`;
    await claimsOf(client, set, name);
    const pod = pods.find(({ metadata }) => metadata.name === name);
    if (pod === undefined) await startPod(client, set, name, revision);
    else await keepPod(client, set, pod, revision);
  }
  await writeStatus(client, resources.statefulSets, set, {
    observedGeneration: set.metadata.generation,
    replicas,
    readyReplicas: replicas,
    availableReplicas: replicas,
    currentReplicas: replicas,
    updatedReplicas: replicas,
    currentRevision: revision,
    updateRevision: revision,
  });
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

async function startPod(client: KubeClient, set: StatefulSet, name: string, revision: string): Promise<void> {
  const { namespace = '', uid = '' } = set.metadata;
  const template = set.spec?.template;
  const isPostgres = set.metadata.labels?.[labels.component] === 'postgres';
  const metadata = {
    name,
    namespace,
    annotations: template?.metadata?.annotations ?? {},
    labels: {
      ...template?.metadata?.labels,
      'controller-revision-hash': revision,
      // As Patroni labels its own pod.
      ...(isPostgres ? { [labels.role]: 'primary' } : {}),
    },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: set.metadata.name, uid, controller: true }],
  };
  const claims = (set.spec?.volumeClaimTemplates ?? []).map(({ metadata: claim }) => ({
    name: claim?.name ?? '',
    persistentVolumeClaim: { claimName: `${claim?.name ?? ''}-${name}` },
  }));
  const spec = { ...template?.spec, volumes: [...(template?.spec?.volumes ?? []), ...claims] };
  await makeOnce(client, { apiVersion: 'v1', kind: 'Pod', metadata, spec } as Pod);
}

async function keepPod(client: KubeClient, set: StatefulSet, pod: Pod, revision: string): Promise<void> {
  if (pod.metadata.labels?.['controller-revision-hash'] !== revision) {
    const annotations = withoutOthers(pod.metadata.annotations, set.spec?.template.metadata?.annotations);
    const body = { metadata: { labels: { 'controller-revision-hash': revision }, annotations } };
    await patch(client, refTo(resources.pods, pod), body);
  }
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
    podIP: '10.1.0.1',
    podIPs: [{ ip: '10.1.0.1' }],
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses,
  });
}

/** The annotations of a new template, as a merge patch on a pod of the last one. */
function withoutOthers(
  present: Record<string, string> = {},
  wanted: Record<string, string> = {},
): Record<string, string | null> {
  return { ...Object.fromEntries(Object.keys(present).map((name) => [name, null])), ...wanted };
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
