import { resources } from '../../kube/resources.ts';
import type { BlockedBy, ComponentPlan, EventPlan, Removal } from '../core/component.ts';
import type { EffectivePlatform, Storage } from '../core/effective.ts';
import { namespaceOf } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import type { ClusterState } from './cluster.ts';
import { conditionOf } from './condition.ts';
import { type DefinitionsPlan, keepDefinitions } from './definitions.ts';
import { desiredObjects, leftClaim, memberClaim } from './desired.ts';
import { type Membership, membership } from './membership.ts';
import { membershipJob } from './membership-job.ts';
import { podName } from './names.ts';
import { type Observed, type RabbitmqPod, stateOf } from './observe.ts';
import { nodeApart } from './partition.ts';
import { type RolloutStep, rolloutStep } from './rollout.ts';
import { type StuckBoot, stuckBoot } from './stuck-boot.ts';

export function decide(
  platform: Platform,
  effective: EffectivePlatform,
  observed: Observed,
  blockedBy: readonly BlockedBy[],
): ComponentPlan {
  // What runs is looked after even when its Secret is gone; only the first start needs it.
  if (observed.live === undefined && (blockedBy.length > 0 || !observed.hasCredentials))
    return waitForSecrets(blockedBy);
  const state = stateOf(observed.pods);
  const change = membership(platform, observed, state);
  const { nodes } = change;
  const storage = observed.live?.storage ?? observed.wanted.storage;
  const founder = founderOf(platform, observed);
  const formed = isFormed(observed, state, nodes);
  const rollout = rolloutStep(platform, observed, state);
  const definitions = keepDefinitions(effective, observed, state);
  const stuck = stuckBoot(observed, state, nodes, platform.status?.rabbitmq?.bootRestarts);
  const apart = nodeApart(observed, state, nodes);
  return {
    objects: [
      ...desiredObjects(platform, effective, {
        nodes,
        storage,
        formed,
        critical: isCritical(observed, state, nodes),
        ...(founder === undefined ? {} : { founder }),
        ...(observed.tls === undefined ? {} : { listening: observed.tls.listen }),
        left: observed.claims.flatMap(({ ordinal, left }) =>
          left === undefined ? [] : [{ pod: podName(platform, ordinal), at: left }],
        ),
      }),
      ...newMembers(observed, state).map(memberClaim),
      ...change.left.map((claim) => leftClaim(claim, observed.now)),
    ],
    creates: change.work === undefined ? [] : [membershipJob(platform, effective.rabbitmq, change.work)],
    actions: definitions.actions,
    condition: conditionOf({
      observed,
      state,
      nodes,
      formed,
      drift: definitions.drift,
      paused: effective.paused,
      ...(change.step === undefined ? {} : { step: change.step }),
      ...(rollout.waits === undefined ? {} : { rolloutWaits: rollout.waits }),
      ...(apart === undefined ? {} : { apart: apart.name }),
      pending: pendingChanges(observed, storage),
    }),
    status: {
      rabbitmq: {
        runningNodes: [...state.running],
        quorumCritical: [...(observed.cluster?.quorumCritical ?? [])],
        ...(stuck.restarts.length === 0 ? {} : { bootRestarts: [...stuck.restarts] }),
        ...(change.step === undefined ? {} : { membership: change.step }),
      },
    },
    ...followUp(platform, { stuck, apart, change, rollout, definitions }),
  };
}

function waitForSecrets(blockedBy: readonly BlockedBy[]): ComponentPlan {
  const isCertified = blockedBy.every(({ component }) => component !== 'certificates');
  return {
    objects: [],
    condition: {
      type: 'RabbitMQReady',
      status: 'False',
      reason: 'WaitingForCredentials',
      message: `waiting for the Secret with the ${isCertified ? 'password' : 'certificate'}`,
      progressing: true,
    },
  };
}

/** Only while no volume has ever belonged to a member may a cluster be founded, and only by the first node. */
function founderOf(platform: Platform, { claims }: Observed): string | undefined {
  return claims.some(({ member }) => member) ? undefined : podName(platform, 0);
}

/** Once formed, always formed: what is lost later on is lost, and a majority goes on without it. */
function isFormed({ open, claims }: Observed, { running, clusters }: ClusterState, nodes: number): boolean {
  if (open || claims.filter(({ member }) => member).length >= nodes) return true;
  return running.length >= nodes && clusters.length === 1;
}

/** Volumes to be marked: their nodes run in the one cluster there is. */
function newMembers({ claims, pods }: Observed, { running, clusters }: ClusterState): Observed['claims'] {
  if (clusters.length !== 1) return [];
  const ordinals = new Set(pods.filter(({ name }) => running.includes(name)).map(({ ordinal }) => ordinal));
  return claims.filter(({ member, ordinal }) => !member && ordinals.has(ordinal));
}

/** While a node is down the budget is used up as it is, and one that is not ready may be evicted. */
function isCritical({ cluster }: Observed, { running }: ClusterState, nodes: number): boolean {
  return nodes > 1 && running.length >= nodes && (cluster?.quorumCritical.length ?? 0) > 0;
}

/** A node that hangs may not heed a signal either, so it is not waited for. */
const RESTART_GRACE_SECONDS = 5;
/** Time to write down what is in memory. A node that is apart waits for the others with whatever concerns all of them, and they do not answer it. */
const APART_GRACE_SECONDS = 15;

interface Steps {
  readonly stuck: StuckBoot;
  readonly apart: RabbitmqPod | undefined;
  readonly change: Membership;
  readonly rollout: RolloutStep;
  readonly definitions: DefinitionsPlan;
}

function followUp(platform: Platform, { stuck, apart, change, rollout, definitions }: Steps): Partial<ComponentPlan> {
  const delays = [stuck.againMs, change.againMs].filter((delay) => delay !== undefined);
  const namespace = namespaceOf(platform);
  const jobs = change.finished.map(({ name, uid }) => ({ ref: { resource: resources.jobs, namespace, name }, uid }));
  const pods = podsToReplace(namespace, stuck, apart, rollout);
  return {
    remove: [...jobs, ...pods.map(({ removal }) => removal)],
    events: [...definitions.events, ...pods.map(({ event }) => event)],
    ...(delays.length === 0 ? {} : { requeueAfterMs: Math.min(...delays) }),
  };
}

/** One at most. Whatever a pod is replaced for, it is of the newest template then. */
function podsToReplace(
  namespace: string,
  { restart }: StuckBoot,
  apart: RabbitmqPod | undefined,
  { remove }: RolloutStep,
): { removal: Removal; event: EventPlan }[] {
  if (restart !== undefined) {
    const removal = { ...removalOf(namespace, restart), gracePeriodSeconds: RESTART_GRACE_SECONDS };
    return [{ removal, event: restartEvent(`${restart.name} has not come up though the others run`, '') }];
  }
  if (apart !== undefined) {
    const why = `${apart.name} went on without the majority`;
    const removal = { ...removalOf(namespace, apart), gracePeriodSeconds: APART_GRACE_SECONDS };
    return [{ removal, event: restartEvent(why, ', to take over the state of the others') }];
  }
  return remove === undefined ? [] : [{ removal: removalOf(namespace, remove), event: replacementEvent(remove) }];
}

function removalOf(namespace: string, { name, uid }: RabbitmqPod): Removal {
  return { ref: { resource: resources.pods, namespace, name }, uid };
}

function replacementEvent({ name }: RabbitmqPod): EventPlan {
  return {
    type: 'Normal',
    reason: 'NodeReplaced',
    action: 'RollingUpdate',
    note: `pod ${name} is replaced by one of the newest template`,
  };
}

function restartEvent(why: string, whatFor: string): EventPlan {
  return {
    type: 'Warning',
    reason: 'NodeRestarted',
    action: 'Repair',
    note: `${why}: its pod is started anew${whatFor}`,
  };
}

/** What the resource asks for and is not done, each a sentence. */
function pendingChanges({ wanted }: Observed, storage: Storage): { reason: string; message: string }[] {
  if (isSameStorage(wanted.storage, storage)) return [];
  return [
    {
      reason: 'StorageChangePending',
      message: `spec.rabbitmq.storage asks for ${describe(wanted.storage)} and the volumes have ${describe(storage)}: volumes are not changed`,
    },
  ];
}

function isSameStorage(wanted: Storage, live: Storage): boolean {
  // Without a class of its own the cluster's default was filled in.
  const { storageClassName = live.storageClassName } = wanted;
  return wanted.size === live.size && storageClassName === live.storageClassName;
}

function describe({ size, storageClassName }: Storage): string {
  return storageClassName === undefined ? size : `${size} of class ${storageClassName}`;
}
