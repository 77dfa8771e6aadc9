import type { ClusterProvider, ContainerTarget } from '../../../hack/cluster/provider.ts';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { type Pod, resources } from '../../../operator/kube/resources.ts';
import type { ObjectRef } from '../../../operator/kube/types.ts';
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

/** What can happen to Redis, by name. */
export function faultsOf(
  client: KubeClient,
  provider: ClusterProvider,
  subject: Subject,
): Readonly<Record<string, Fault>> {
  const forceDelete = async (pod: Pod): Promise<void> =>
    void (await client.delete(refTo(pod), { gracePeriodSeconds: 0 }));
  // Unless the operator has ended it already.
  const thaw = async (pod: Pod): Promise<void> => {
    const now = await client.get<Pod>(refTo(pod));
    if (now?.metadata.uid === pod.metadata.uid && now?.metadata.deletionTimestamp === undefined)
      await provider.thaw(inside(pod));
  };
  return {
    killed: { title: 'primary killed (-9)', strike: async (pod) => await provider.kill(inside(pod)) },
    deleted: {
      title: 'pod of a primary deleted',
      strike: async (pod) => void (await client.delete(refTo(pod))),
    },
    forced: { title: 'pod of a primary force-deleted', strike: forceDelete },
    frozen: {
      title: 'primary frozen for 30 s',
      lastsMs: FAULT_MS,
      strike: async (pod) => await provider.freeze(inside(pod)),
      mend: thaw,
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
        void (await Promise.all((await subject.primaries()).map((one) => provider.kill(inside(one))))),
    },
    'all-deleted': {
      title: 'every pod force-deleted at once',
      strike: async () => void (await Promise.all((await subject.pods()).map(forceDelete))),
    },
    volume: {
      title: 'volume of a primary lost',
      strike: async (pod) => {
        const claim = { ...refTo(pod), resource: resources.persistentVolumeClaims };
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

function refTo({ metadata: { namespace, name } }: Pod): ObjectRef {
  return { resource: resources.pods, ...(namespace === undefined ? {} : { namespace }), name };
}

function inside({ metadata: { namespace = '', name } }: Pod): ContainerTarget {
  return { namespace, pod: name, container: 'redis' };
}
