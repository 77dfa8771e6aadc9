import type { ClusterProvider } from '../../../hack/cluster/provider.ts';
import { type KubeClient, refOf } from '../../../operator/kube/client.ts';
import type { Pod } from '../../../operator/kube/resources.ts';
import { scaleOperator } from '../in-cluster/operator.ts';
import { inside, thaw } from '../in-cluster/pods.ts';

export interface Fault {
  readonly title: string;
  /** For how long it lasts though nobody takes over, in milliseconds. */
  readonly lastsMs?: number;
  /** The same where only Patroni could take over, and sees no reason to. */
  readonly aloneLastsMs?: number;
  /** Whether the operator's leader is on the primary's node. */
  readonly leaderThere?: boolean;
  /** Wants volumes that can be full, and grow. */
  readonly limited?: true;
  /** Has no meaning with Patroni alone. */
  readonly drivenOnly?: true;
  readonly strike: (pod: Pod) => Promise<void>;
  /** Takes the fault away, when the new primary has served for a while. */
  readonly mend?: (pod: Pod) => Promise<void>;
}

/** What is done to the one that is struck from within. */
export interface Means {
  /** Stops the postmaster of a member for a minute, and nothing else of it. */
  readonly wedge: (pod: Pod) => Promise<void>;
  /** Leaves no room on a member's volume. */
  readonly fill: (pod: Pod) => Promise<void>;
  /** Gives all volumes half as much again. */
  readonly grow: () => Promise<void>;
  /** Has the operator make any other member the primary, and a certain one. */
  readonly handOver: () => Promise<void>;
  readonly switchOver: (pod: Pod) => Promise<void>;
}

const WEDGED_MS = 60_000;
const CONTAINER = 'postgres';

/** What can happen to a primary, by name. */
export function faultsOf(client: KubeClient, provider: ClusterProvider, means: Means): Readonly<Record<string, Fault>> {
  const cutOff = async ({ spec }: Pod): Promise<void> => await provider.partition(spec?.nodeName ?? '');
  const heal = async ({ spec }: Pod): Promise<void> => await provider.heal(spec?.nodeName ?? '');
  return {
    switchover: { title: 'none: a switchover to any standby', drivenOnly: true, strike: means.handOver },
    'switchover-to': { title: 'none: a switchover to a certain standby', drivenOnly: true, strike: means.switchOver },
    deleted: { title: 'pod deleted', strike: async (pod) => void (await client.delete(refOf(pod))) },
    forced: {
      title: 'pod force-deleted',
      strike: async (pod) => void (await client.delete(refOf(pod), { gracePeriodSeconds: 0 })),
    },
    killed: { title: 'container killed (-9)', strike: async (pod) => await provider.kill(inside(pod, CONTAINER)) },
    frozen: {
      title: 'container frozen',
      strike: async (pod) => await provider.freeze(inside(pod, CONTAINER)),
      mend: async (pod) => await thaw(client, provider, pod, CONTAINER),
    },
    wedged: {
      title: 'postmaster stopped, and nothing else',
      aloneLastsMs: WEDGED_MS,
      strike: means.wedge,
    },
    cut: { title: 'node cut off', leaderThere: false, strike: cutOff, mend: heal },
    // Nobody is to take over here: the primary reaches every member, and goes on.
    'api-server': {
      title: 'API server stopped for 60 s',
      lastsMs: 60_000,
      strike: async () => await provider.freezeApiServer(),
      mend: async () => await provider.thawApiServer(),
    },
    'operator-down': {
      title: 'container killed while the operator is down',
      drivenOnly: true,
      lastsMs: 40_000,
      strike: async (pod) => {
        await scaleOperator(client, 0);
        await provider.kill(inside(pod, CONTAINER));
      },
      mend: async () => await scaleOperator(client, 2),
    },
    'disk-full': {
      title: 'volume full, of the primary alone',
      limited: true,
      aloneLastsMs: 60_000,
      strike: means.fill,
      mend: means.grow,
    },
    'cut-leader': {
      title: 'node cut off, with the operator’s leader on it',
      leaderThere: true,
      strike: cutOff,
      mend: heal,
    },
  };
}
