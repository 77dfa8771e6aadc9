import type { ClusterProvider } from '../../../hack/cluster/provider.ts';
import { type KubeClient, refOf } from '../../../operator/kube/client.ts';
import type { Pod } from '../../../operator/kube/resources.ts';
import { AMQP_PORT } from '../../../operator/platform/rabbitmq/names.ts';
import { leaderAwayFrom } from '../in-cluster/operator.ts';
import { inside, isThere, thaw } from '../in-cluster/pods.ts';
import { type Subject, WORKERS } from './subject.ts';

/** Takes a fault away. */
export type Mend = () => Promise<void>;

export interface Fault {
  readonly title: string;
  /** For how long it lasts, in milliseconds, before it is mended; absent for what is over at once. */
  readonly lastsMs?: number;
  /** No task may be run twice: it is planned work. */
  readonly planned?: true;
  /** Brings into place what is to be struck. */
  readonly arrange?: () => Promise<void>;
  readonly strike: () => Promise<Mend>;
}

const FAULT_MS = 30_000;
/** Longer than a worker of a pool of a fixed size may take to end. */
const SCALED_IN_MS = 40_000;
const ATTEMPTS = 10;
const over: Mend = async () => undefined;

/** What can happen to the brokers and the workers, by name. Of the brokers the one that leads the queue is struck. */
export function faultsOf(
  client: KubeClient,
  provider: ClusterProvider,
  subject: Subject,
): Readonly<Record<string, Fault>> {
  /** Once, and nothing to mend. */
  const onLeader = (act: (pod: Pod) => Promise<unknown>) => async (): Promise<Mend> => {
    await act(await subject.leader());
    return over;
  };
  return {
    worker: {
      title: 'worker killed (-9) in the middle of its tasks',
      strike: async () => {
        await provider.kill(inside(await subject.busiest(), 'worker'));
        return over;
      },
    },
    node: {
      title: 'node of a broker and of workers cut off for 30 s',
      lastsMs: FAULT_MS,
      arrange: async () => {
        const node = await leaderAwayFromHome(client, subject);
        // What is measured is RabbitMQ and the workers, and not how the next operator starts.
        await leaderAwayFrom(client, node, async () => await subject.whole());
      },
      strike: async () => {
        const node = (await subject.leader()).spec?.nodeName ?? '';
        await provider.partition(node);
        return async () => await provider.heal(node);
      },
    },
    deleted: { title: 'pod of a broker deleted', strike: onLeader(async (pod) => await client.delete(refOf(pod))) },
    forced: {
      title: 'pod of a broker force-deleted',
      strike: onLeader(async (pod) => await client.delete(refOf(pod), { gracePeriodSeconds: 0 })),
    },
    killed: {
      title: 'broker killed (-9)',
      strike: onLeader(async (pod) => await provider.kill(inside(pod, 'rabbitmq'))),
    },
    frozen: {
      title: 'broker frozen for 30 s',
      lastsMs: FAULT_MS,
      strike: async () => {
        const pod = await subject.leader();
        await provider.freeze(inside(pod, 'rabbitmq'));
        return async () => await thaw(client, provider, pod, 'rabbitmq');
      },
    },
    'all-deleted': {
      title: 'pods of all brokers deleted at once',
      strike: async () => {
        await Promise.all((await subject.members()).map(async (pod) => await client.delete(refOf(pod))));
        return over;
      },
    },
    network: {
      title: 'no packet of any worker reaches a broker for 30 s',
      lastsMs: FAULT_MS,
      strike: async () => {
        const pods = await subject.workers();
        await Promise.all(pods.map(async (pod) => await provider.block(inside(pod, 'worker'), AMQP_PORT)));
        return async () => {
          for (const pod of pods)
            if (await isThere(client, pod)) await provider.unblock(inside(pod, 'worker'), AMQP_PORT);
        };
      },
    },
    'scale-in': {
      title: `${WORKERS} pods of workers become ${WORKERS / 2}`,
      lastsMs: SCALED_IN_MS,
      planned: true,
      strike: async () => {
        await subject.resize(WORKERS / 2);
        return async () => await subject.resize(WORKERS);
      },
    },
  };
}

/** The node of the broker that leads the queue, when it is another than the publishers'. A broker that ends hands over what it leads. */
async function leaderAwayFromHome(client: KubeClient, subject: Subject): Promise<string | undefined> {
  const home = await subject.home();
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const pod = await subject.leader();
    if (pod.spec?.nodeName !== home) return pod.spec?.nodeName;
    await client.delete(refOf(pod));
    await subject.whole();
  }
  throw new Error(`the queue is led on ${home}, the node of the publishers, whatever is done`);
}
