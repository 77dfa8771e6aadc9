import type { Platform } from '../core/platform.ts';
import type { ClusterState } from './cluster.ts';
import { type MembershipJob, type MembershipVerb, type MembershipWork, membershipJobName } from './membership-job.ts';
import { LEAST_NODES, ordinalIn, refusal, trouble, unmoved, type View } from './membership-trouble.ts';
import { podName } from './names.ts';
import type { Observed } from './observe.ts';

/** How a cluster comes to the number of nodes that is wanted; nothing is remembered but what the cluster and its objects show. */
export interface Membership {
  /** Nodes that the StatefulSet is to have. */
  readonly nodes: number;
  /** The Job that is to be there. */
  readonly work?: MembershipWork;
  /** Jobs that have done what they were for, or failed long enough ago to be tried again. */
  readonly finished: readonly MembershipJob[];
  /** Claims whose nodes belong to the cluster no more. */
  readonly left: Observed['claims'];
  readonly step?: MembershipStep;
  /** When to look again, in milliseconds. */
  readonly againMs?: number;
}

export interface MembershipStep {
  readonly name: 'Growing' | 'Shrinking' | 'Stopping' | 'Forgetting' | 'Refused';
  /** Pod of the node that it is about. */
  readonly node: string;
  /** Why it is not done; absent while it is. */
  readonly message?: string;
}

/** What a Job has done shows in the answers of the nodes within seconds. */
const RETRY_MS = { succeeded: 60_000, failed: 300_000 };

const steps = { grow: 'Growing', shrink: 'Shrinking', forget: 'Forgetting' } as const satisfies Record<
  MembershipVerb,
  MembershipStep['name']
>;

/**
 * Pure: one step at a time, and each only while everything else is well. Who has stopped for good is struck off first; then every queue
 * gets a replica on every node that stays; then the last node loses its replicas, is stopped, and is struck off in turn.
 */
export function membership(platform: Platform, observed: Observed, state: ClusterState): Membership {
  const { wanted, live, jobs, now } = observed;
  const replicas = live?.replicas ?? wanted.nodes;
  const view = { platform, observed, state, replicas, members: membersOf(observed, state) };
  const next = nextStep(view);
  const running = jobs.find((job) => job.state === 'running');
  // What a Job that runs is for is still so, or it would have been ended; nobody else does anything meanwhile.
  const work = running === undefined ? next.work : undefined;
  const own = work === undefined ? undefined : jobs.find(({ name }) => name === membershipJobName(platform, work));
  const leftMs = own === undefined ? 0 : retryAt(own) - now.getTime();
  const finished = jobs.filter((job) => job.state !== 'running' && (job !== own || leftMs <= 0));
  const failed =
    own?.state === 'failed'
      ? `Job ${own.name} has failed: read kubectl logs job/${own.name}; it is tried again`
      : undefined;
  const message = next.message ?? failed;
  return {
    nodes: running === undefined ? next.nodes : replicas,
    finished,
    left: leftClaims(view),
    ...(work === undefined || own !== undefined ? {} : { work }),
    ...(next.step === undefined ? {} : { step: { ...next.step, ...(message === undefined ? {} : { message }) } }),
    ...(own !== undefined && leftMs > 0 ? { againMs: leftMs } : {}),
  };
}

interface Next {
  readonly nodes: number;
  readonly work?: MembershipWork;
  readonly step?: Pick<MembershipStep, 'name' | 'node'>;
  readonly message?: string;
}

function nextStep(view: View): Next {
  const { platform, observed, replicas, members } = view;
  const wanted = observed.wanted.nodes;
  if (observed.live === undefined) return { nodes: wanted };
  const departing = departingNode(view);
  if (departing !== undefined) {
    const isStopping = observed.pods.some(({ name }) => name === departing);
    if (isStopping) return { nodes: replicas, step: { name: 'Stopping', node: departing } };
    return workOn(view, departedVerb(view, departing), departing);
  }
  const isAway = observed.claims.some(({ ordinal, member }) => member && ordinal >= replicas);
  // A volume is marked before it is used again.
  if (wanted > replicas && !isAway) return { nodes: wanted };
  const top = podName(platform, replicas - 1);
  const goes = wanted < replicas;
  if (goes && members !== undefined && !members.has(top) && !isMember(view, replicas - 1))
    return { nodes: replicas - 1 };
  const isRefused = goes && replicas <= LEAST_NODES;
  const staying = goes && !isRefused ? Math.max(wanted, LEAST_NODES) : replicas;
  const lacking = lackingNode(view, staying);
  if (lacking !== undefined) return workOn(view, 'grow', lacking);
  if (isRefused) return { nodes: replicas, step: { name: 'Refused', node: top }, message: refusal(replicas) };
  return goes ? takeAway(view, top) : { nodes: replicas };
}

function takeAway(view: View, top: string): Next {
  const { observed, replicas } = view;
  const { placement } = observed.cluster ?? {};
  if ((placement?.replicas[top] ?? 0) > 0) return workOn(view, 'shrink', top);
  const message = trouble(view) ?? unmoved(view, top);
  const step = { name: 'Stopping', node: top } as const;
  return message === undefined ? { nodes: replicas - 1, step } : { nodes: replicas, step, message };
}

/** The Job, or why it has to wait. */
function workOn(view: View, verb: MembershipVerb, pod: string): Next {
  const { state, replicas } = view;
  const step = { name: steps[verb], node: pod };
  const message = trouble(view) ?? (verb === 'shrink' ? unmoved(view, pod) : undefined);
  const through = state.running.find((name) => name !== pod);
  if (message !== undefined || through === undefined)
    return { nodes: replicas, step, ...(message === undefined ? {} : { message }) };
  return { nodes: replicas, step, work: { verb, pod, through } };
}

/** A node on the list of the cluster whose pod is taken away for good; the last one first. */
function departingNode({ replicas, members, platform }: View): string | undefined {
  const names = [...(members ?? [])].filter((name) => ordinalIn(platform, name) >= replicas);
  return names.toSorted((a, b) => ordinalIn(platform, b) - ordinalIn(platform, a))[0];
}

/** A queue that was declared while the node was being stopped may have a replica there. */
function departedVerb({ observed }: View, pod: string): MembershipVerb {
  return (observed.cluster?.placement.replicas[pod] ?? 0) > 0 ? 'shrink' : 'forget';
}

function lackingNode({ platform, observed, state, members }: View, staying: number): string | undefined {
  const { placement } = observed.cluster ?? {};
  if (placement === undefined) return undefined;
  const pods = Array.from({ length: staying }, (_, ordinal) => podName(platform, ordinal));
  return pods.find(
    (pod) =>
      members?.has(pod) === true &&
      state.running.includes(pod) &&
      (placement.replicas[pod] ?? 0) < placement.quorumQueues,
  );
}

function isMember({ observed }: View, ordinal: number): boolean {
  return observed.claims.some((claim) => claim.ordinal === ordinal && claim.member);
}

/** Claims whose nodes have been struck off: their pods are gone, and no node that runs has them on its list. */
function leftClaims({ platform, observed, members, replicas }: View): Observed['claims'] {
  if (members === undefined || observed.live === undefined) return [];
  return observed.claims.filter(({ member, ordinal }) => {
    const pod = podName(platform, ordinal);
    return member && ordinal >= replicas && !members.has(pod) && !observed.pods.some((one) => one.name === pod);
  });
}

function membersOf({ pods }: Observed, { running, clusters }: ClusterState): ReadonlySet<string> | undefined {
  if (running.length === 0 || clusters.length !== 1) return undefined;
  const answers = pods.filter(({ name }) => running.includes(name)).flatMap(({ answer }) => answer?.members ?? []);
  return new Set(answers.map(({ pod }) => pod));
}

function retryAt({ state, finishedAt }: MembershipJob): number {
  if (state === 'running') return Number.POSITIVE_INFINITY;
  return (finishedAt?.getTime() ?? 0) + RETRY_MS[state];
}
