import { KubeClient } from '../../../operator/kube/client.ts';
import { loadConfig } from '../../../operator/kube/config.ts';
import { type Pod, resources } from '../../../operator/kube/resources.ts';
import type { KubeObject, Resource } from '../../../operator/kube/types.ts';
import { childKinds as watchedKinds } from '../../../operator/platform/core/children.ts';
import { labels } from '../../../operator/platform/core/names.ts';
import type { Platform } from '../../../operator/platform/core/platform.ts';

export const NAMESPACE = 'support';
export const PLATFORM = 'acme';

/** Kinds of what goes with a platform; its volumes stay. */
export const childKinds: readonly Resource[] = watchedKinds.filter((kind) => kind !== resources.persistentVolumeClaims);

export const client: KubeClient = new KubeClient(loadConfig());

export const platformRef = { resource: resources.platforms, namespace: NAMESPACE, name: PLATFORM };

export function platform(spec: Record<string, unknown> = {}, annotations: Record<string, string> = {}): KubeObject {
  return {
    apiVersion: resources.platforms.apiVersion,
    kind: resources.platforms.kind,
    metadata: { name: PLATFORM, namespace: NAMESPACE, annotations },
    spec,
  } as KubeObject;
}

/** As `kubectl apply --server-side` does it. */
export async function apply(object: KubeObject): Promise<KubeObject> {
  return await client.apply(object, { fieldManager: 'kubectl' });
}

export async function getPlatform(): Promise<Platform | undefined> {
  return await client.get<Platform>(platformRef);
}

/** Objects of one kind that carry the platform's label, and more labels where given. */
export async function children<T extends KubeObject>(
  resource: Resource,
  more: Record<string, string> = {},
): Promise<T[]> {
  const wanted = { [labels.platform]: PLATFORM, ...more };
  const labelSelector = Object.entries(wanted)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  return (await client.list<T>(resource, { namespace: NAMESPACE, labelSelector })).items;
}

export async function podsOf(component: string, more: Record<string, string> = {}): Promise<Pod[]> {
  return await children<Pod>(resources.pods, { [labels.component]: component, ...more });
}

export async function deletePod(pod: Pod, gracePeriodSeconds?: number): Promise<void> {
  const { name, uid } = pod.metadata;
  const options = {
    ...(uid === undefined ? {} : { uid }),
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
  };
  await client.delete({ resource: resources.pods, namespace: NAMESPACE, name }, options);
}

/** Asks until the answer is something other than undefined; says at the end what it was waiting for and what it last saw. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  {
    timeoutMs = 180_000,
    intervalMs = 500,
    saw = async () => '',
  }: { timeoutMs?: number; intervalMs?: number; saw?: () => Promise<string> } = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > deadline)
      throw new Error(`${what}: not within ${timeoutMs / 1000} s; ${await saw()}`, { cause: lastError });
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}

/** The pod of Postgres that has the role of the primary. */
export async function primaryPod(): Promise<Pod> {
  const [pod] = await podsOf('postgres', { [labels.role]: 'primary' });
  if (pod === undefined) throw new Error('no pod has the role primary');
  return pod;
}

/** When another member of Postgres than this pod is the primary. */
export async function anotherPrimary({ metadata }: Pod): Promise<string> {
  return await eventually('another primary', async () => {
    const now = (await getPlatform())?.status?.postgres?.primary;
    return now !== undefined && now !== metadata.name ? now : undefined;
  });
}

/** The platform's conditions, one a line, for messages. */
export async function describeConditions(): Promise<string> {
  const conditions = (await getPlatform())?.status?.conditions ?? [];
  return conditions.map(({ type, status, reason, message }) => `\n  ${type}=${status} ${reason}: ${message}`).join('');
}

/** Waits until the platform is Ready in its present generation and nothing is degraded or rolling out. */
export async function healthy(timeoutMs = 300_000): Promise<Platform> {
  return await eventually(
    `platform ${PLATFORM} Ready with full redundancy`,
    async () => {
      const found = await getPlatform();
      const is = (type: string, status: string): boolean =>
        found?.status?.conditions?.some(
          (condition) =>
            condition.type === type &&
            condition.status === status &&
            condition.observedGeneration === found.metadata.generation,
        ) ?? false;
      return found !== undefined && is('Ready', 'True') && is('Degraded', 'False') && is('Progressing', 'False')
        ? found
        : undefined;
    },
    { timeoutMs, saw: describeConditions },
  );
}
