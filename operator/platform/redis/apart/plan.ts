import type { ComponentPlan, EventPlan, Scope } from '../../core/component.ts';
import { isUnderWay } from '../../core/failovers.ts';
import type { FailoverAction } from '../actions.ts';
import type { Observed, RedisPod } from '../observe.ts';
import { isSettled } from '../settled.ts';
import { hasHeardOf, isInSync, type KnownNode, readTopology, type Topology, target } from '../topology.ts';
import { fullest, type Hop, hopsApart, type Placement } from './hops.ts';
import { sharedNodes } from './sharing.ts';

/** So long nothing else must have been under way before a primary is moved, and again before the next. */
const CALM_MS = 60_000;
const LOOK_AGAIN_MS = 1000;

/**
 * The plan of Redis with what it takes to bring primaries apart that failovers have brought together: a Kubernetes node with most of them
 * would take the majority along that elects. One at a time hands over to a replica on another node.
 * @param plan with everything else that is to be done: beside that, nothing is moved.
 */
export function withPrimariesApart(scope: Scope, observed: Observed, plan: ComponentPlan): ComponentPlan {
  if (plan.condition.reason !== 'Healthy') return plan;
  const topology = readTopology(observed.pods);
  const placements = observed.failover ? placementsOf(topology) : [];
  const [hop] = hopsApart(placements);
  const said = [...(hop === undefined ? [] : [crowding(placements)]), ...sharedNodes(observed.pods)];
  const condition = { ...plan.condition, message: [plan.condition.message, ...said].join('; ') };
  if (hop === undefined || !isCalm(scope, observed.pods, plan)) return { ...plan, condition };
  const since = scope.platform.status?.redis?.crowded?.since ?? scope.now.toISOString();
  const leftMs = Date.parse(since) + CALM_MS - scope.now.getTime();
  if (leftMs > 0) return waiting({ ...plan, condition }, placements, since, leftMs);
  const { actions, events } = handOver(hop, topology, crowd(placements));
  const moving = { ...plan, condition, actions, events: [...(plan.events ?? []), ...events] };
  // Whatever comes of it, everything has to be calm for as long as before until it is tried again.
  return waiting(moving, placements, scope.now.toISOString(), LOOK_AGAIN_MS);
}

function waiting(plan: ComponentPlan, placements: readonly Placement[], since: string, ms: number): ComponentPlan {
  const { redis } = plan.status ?? {};
  if (redis === undefined) return plan;
  return {
    ...plan,
    status: { ...plan.status, redis: { ...redis, crowded: { ...fullest(placements), since } } },
    requeueAfterMs: Math.min(ms, plan.requeueAfterMs ?? ms),
  };
}

function handOver({ shard, from, to }: Hop, topology: Topology, why: string) {
  const primary = topology.primaries.get(shard);
  const heir = primary && heirsOf(primary, topology).find(({ kubeNode }) => kubeNode?.name === to);
  if (heir === undefined) return { actions: [], events: [] };
  const action: FailoverAction = { type: 'redis.failover', node: target(heir) };
  const note = `${heir.name} on Kubernetes node ${to} is told to take over from ${primary?.name} on ${from}: ${why}`;
  const event: EventPlan = { type: 'Normal', reason: 'RedisPrimaryMoved', action: 'HandOver', note };
  return { actions: [action], events: [event] };
}

/** Where each primary is and could be; none while it is not known of all. */
function placementsOf(topology: Topology): Placement[] {
  const placements = [...topology.primaries.values()].flatMap((primary): Placement[] => {
    const fit = [primary, ...heirsOf(primary, topology)].flatMap(({ kubeNode }) => kubeNode ?? []);
    const nodes = new Set(fit.flatMap(({ name, cordoned }) => (cordoned ? [] : name)));
    if (primary.kubeNode === undefined) return [];
    return [{ shard: primary.shard, node: primary.kubeNode.name, nodes: [...nodes] }];
  });
  if (placements.length < topology.primaries.size) return [];
  return placements.toSorted((a, b) => a.shard - b.shard);
}

/** Replicas that would be elected now: a hand-over that fails makes clients wait for as long as the engine tries it, which is 5 s. */
function heirsOf(primary: KnownNode, { known, primaries }: Topology): KnownNode[] {
  return known.filter((node) => {
    if (node.shard !== primary.shard || !isInSync(node, primary)) return false;
    const voters = [...primaries.values()].filter((voter) => hasHeardOf(voter, node, primary.view.id));
    return voters.length * 2 > primaries.size;
  });
}

function isCalm(scope: Scope, pods: readonly RedisPod[], plan: ComponentPlan): boolean {
  const { status } = scope.platform;
  // Neither a rollout, nor a pause, nor anything that was tried and failed, of whichever component.
  const isUpToDate = status?.conditions?.some(({ type, reason }) => type === 'Progressing' && reason === 'UpToDate');
  return (
    isUpToDate === true &&
    !scope.effective.paused &&
    !isUnderWay(status) &&
    pods.every(({ notReady }) => notReady === undefined) &&
    isSettled(scope, plan)
  );
}

function crowd(placements: readonly Placement[]): string {
  const { node, primaries } = fullest(placements);
  return `node ${node} has ${primaries} of ${placements.length} primaries`;
}

function crowding(placements: readonly Placement[]): string {
  return `Kubernetes ${crowd(placements)}, which hand over to replicas on other nodes one by one, each after a minute in which nothing else is under way`;
}
