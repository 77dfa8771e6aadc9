import type { ClusterProvider } from '../../../hack/cluster/provider.ts';
import { type KubeClient, refOf } from '../../../operator/kube/client.ts';
import { type Pod, resources } from '../../../operator/kube/resources.ts';
import { inside, thaw } from '../in-cluster/pods.ts';
import type { Subject } from './subject.ts';

export interface Fault {
  readonly title: string;
  /** For how long it lasts, in milliseconds, before it is mended; absent for what is over at once. */
  readonly lastsMs?: number;
  /** A change that the operator is asked for: without it nothing happens. */
  readonly asked?: true;
  /** @param pod that of a primary */
  readonly strike: (pod: Pod) => Promise<void>;
  readonly mend?: (pod: Pod) => Promise<void>;
}

const FAULT_MS = 30_000;
const CONTAINER = 'redis';

/** What can happen to Redis, by name. */
export function faultsOf(
  client: KubeClient,
  provider: ClusterProvider,
  subject: Subject,
): Readonly<Record<string, Fault>> {
  const forceDelete = async (pod: Pod): Promise<void> =>
    void (await client.delete(refOf(pod), { gracePeriodSeconds: 0 }));
  return {
    killed: { title: 'primary killed (-9)', strike: async (pod) => await provider.kill(inside(pod, CONTAINER)) },
    deleted: {
      title: 'pod of a primary deleted',
      strike: async (pod) => void (await client.delete(refOf(pod))),
    },
    forced: { title: 'pod of a primary force-deleted', strike: forceDelete },
    frozen: {
      title: 'primary frozen for 30 s',
      lastsMs: FAULT_MS,
      strike: async (pod) => await provider.freeze(inside(pod, CONTAINER)),
      mend: async (pod) => await thaw(client, provider, pod, CONTAINER),
    },
    cut: {
      title: 'node of a primary cut off for 30 s',
      lastsMs: FAULT_MS,
      strike: async ({ spec }) => await provider.partition(spec?.nodeName ?? ''),
      mend: async ({ spec }) => await provider.heal(spec?.nodeName ?? ''),
    },
    'all-killed': {
      title: 'every primary killed at once',
      strike: async () =>
        void (await Promise.all((await subject.primaries()).map((one) => provider.kill(inside(one, CONTAINER))))),
    },
    'all-deleted': {
      title: 'every pod force-deleted at once',
      strike: async () => void (await Promise.all((await subject.pods()).map(forceDelete))),
    },
    volume: {
      title: 'volume of a primary lost',
      strike: async (pod) => {
        const claim = { ...refOf(pod), resource: resources.persistentVolumeClaims };
        await client.delete({ ...claim, name: `data-${pod.metadata.name}` });
        await forceDelete(pod);
      },
    },
    template: {
      title: 'every pod replaced by one with more CPU',
      asked: true,
      strike: async () => await subject.change({ milliCpu: subject.shape.milliCpu + 1 }),
    },
    out: { title: '3 shards become 5', asked: true, strike: async () => await subject.change({ shards: 5 }) },
    in: { title: '5 shards become 3', asked: true, strike: async () => await subject.change({ shards: 3 }) },
  };
}
