import type { ConfigMap, PersistentVolumeClaim } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import type { EffectivePlatform, Storage } from '../core/effective.ts';
import { shortHash } from '../core/hash.ts';
import { commonLabels } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import { enabledPlugins, rabbitmqConfig } from './config.ts';
import { configFileOf, configFiles, joinScript, paths } from './join-script.ts';
import {
  AMQP_PORT,
  DISTRIBUTION_PORT,
  LEFT_ANNOTATION,
  MEMBER_ANNOTATION,
  nodeHost,
  podName,
  rabbitmqName,
} from './names.ts';
import { clientService, disruptionBudget, nodesService } from './services.ts';
import { rabbitmqStatefulSet } from './statefulset.ts';
import { AMQPS_PORT, type Listening } from './tls/names.ts';

export interface Intent {
  readonly nodes: number;
  readonly storage: Storage;
  /** All nodes have come together, now or before, so that clients may be let in. */
  readonly formed: boolean;
  /** Pod that may found the cluster; absent once there is one. */
  readonly founder?: string;
  /** A queue would lose its majority with a node that is evicted now. */
  readonly critical: boolean;
  /** Pods whose nodes were struck off, and when: what is on their volumes is not to be used again. */
  readonly left: readonly { readonly pod: string; readonly at: string }[];
  /** How new pods listen; absent where no pod has a certificate, nor will have one. */
  readonly listening?: Listening;
}

/** Everything that RabbitMQ consists of, in the order in which it is applied. */
export function desiredObjects(platform: Platform, effective: EffectivePlatform, intent: Intent): KubeObject[] {
  const config = { ...effective, rabbitmq: { ...effective.rabbitmq, nodes: intent.nodes, storage: intent.storage } };
  const { listening = 'plain' } = intent;
  const files = configurations(config, intent.listening !== undefined);
  const rabbitmq = files[configFileOf(listening)];
  const plugins = enabledPlugins();
  return [
    configMap(platform, intent, { ...files, [configFiles.plugins]: plugins }),
    nodesService(platform),
    clientService(platform, intent.formed, listening),
    disruptionBudget(platform, intent.critical),
    rabbitmqStatefulSet(platform, effective.rabbitmq, {
      replicas: intent.nodes,
      storage: intent.storage,
      listening,
      // Neither the script nor the founder matters to a node that runs, so neither restarts one.
      configHash: shortHash({ rabbitmq, plugins }),
    }),
  ];
}

/** What every pod there may be is started with, by the name of the file. */
function configurations(effective: EffectivePlatform, involvesTls: boolean): Record<string, string> {
  const kinds: readonly Listening[] = involvesTls ? ['plain', 'both', 'tls'] : ['plain'];
  return Object.fromEntries(kinds.map((kind) => [configFileOf(kind), rabbitmqConfig(effective, kind)]));
}

function configMap(
  platform: Platform,
  { nodes, founder, left, listening }: Intent,
  files: Record<string, string>,
): ConfigMap {
  const hosts = Array.from({ length: nodes }, (_, ordinal) => nodeHost(platform, podName(platform, ordinal)));
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: rabbitmqName(platform), labels: commonLabels(platform, 'rabbitmq') },
    data: {
      ...files,
      [configFiles.script]: joinScript(
        paths,
        listening === undefined ? [AMQP_PORT] : [AMQP_PORT, AMQPS_PORT],
        DISTRIBUTION_PORT,
      ),
      [configFiles.nodes]: `${hosts.join('\n')}\n`,
      [configFiles.founder]: founder === undefined ? '' : nodeHost(platform, founder),
      ...(listening === undefined ? {} : { [configFiles.kedaTls]: 'enable' }),
      ...(left.length === 0
        ? {}
        : { [configFiles.left]: left.map(({ pod, at }) => `${nodeHost(platform, pod)} ${at}\n`).join('') }),
    },
  };
}

interface ClaimId {
  readonly name: string;
  readonly uid: string;
}

/** Marks a claim as one of a member. */
export function memberClaim(claim: ClaimId): KubeObject {
  return markedClaim(claim, { [MEMBER_ANNOTATION]: 'true' });
}

/** Marks a claim as one whose node was struck off, in the place of the mark of a member. */
export function leftClaim(claim: ClaimId, at: Date): KubeObject {
  return markedClaim(claim, { [LEFT_ANNOTATION]: at.toISOString() });
}

/** A partial object: the rest of the claim belongs to the StatefulSet's controller. Of our marks it keeps those that are named. */
function markedClaim({ name, uid }: ClaimId, annotations: Record<string, string>): KubeObject {
  // The uid keeps the mark from going to a later, empty claim of the same name.
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, uid, annotations },
  } satisfies PersistentVolumeClaim;
}
