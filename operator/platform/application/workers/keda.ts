import { resources, type WithConditions } from '../../../kube/resources.ts';
import type { KubeObject } from '../../../kube/types.ts';
import { BUNDLE_KEY, bundleName } from '../../certificates/names.ts';
import { KEDA_DEFINITION } from '../../core/children.ts';
import type { Children, ConditionPlan, Removal, Scope } from '../../core/component.ts';
import type { EffectiveWorkerPool } from '../../core/effective.ts';
import { childName, labels, namespaceOf, serviceHost } from '../../core/names.ts';
import type { Platform } from '../../core/platform.ts';
import { configFiles } from '../../rabbitmq/join-script.ts';
import { MANAGEMENT_PORT, rabbitmqName, secretKeys, VHOST } from '../../rabbitmq/names.ts';
import { tlsOf } from '../../rabbitmq/tls/facts.ts';
import { MANAGEMENT_TLS_PORT } from '../../rabbitmq/tls/names.ts';
import { workerName } from './desired.ts';

const API_VERSION = 'keda.sh/v1alpha1';
const POLLING_SECONDS = 5;
/** What a HorizontalPodAutoscaler takes at most. */
const MOST_WINDOW_SECONDS = 3600;
const MOST_PERIOD_SECONDS = 1800;

export function isByKeda({ autoscaling }: EffectiveWorkerPool): boolean {
  return autoscaling?.by === 'keda';
}

/** What KEDA needs to size the pools that it is to size; nothing where the cluster cannot take it. */
export function kedaObjects(scope: Scope): KubeObject[] {
  const { platform, children, effective } = scope;
  const pools = effective.workers.filter(isByKeda);
  if (pools.length === 0 || !hasKeda(children)) return [];
  const { use } = tlsOf(scope);
  return [triggerAuthentication(platform, use), ...pools.flatMap((pool) => scaledObject(platform, pool, use))];
}

/** Whether the cluster can take objects of KEDA's. */
function hasKeda(children: Children): boolean {
  const ref = { resource: resources.customResourceDefinitions, name: KEDA_DEFINITION };
  const definition = children.get<WithConditions>(ref);
  return (
    definition?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false
  );
}

/** Sizes a pool as the operator would, as far as KEDA can: it knows neither the age of messages nor who is busy. */
function scaledObject(platform: Platform, pool: EffectiveWorkerPool, withTls: boolean): KubeObject[] {
  if (pool.autoscaling?.by !== 'keda') return [];
  const { minReplicas, maxReplicas, targetQueueLength, scaleInAfterSeconds } = pool.autoscaling;
  const scaleDown = {
    stabilizationWindowSeconds: Math.min(scaleInAfterSeconds, MOST_WINDOW_SECONDS),
    policies: [{ type: 'Percent', value: 50, periodSeconds: Math.min(scaleInAfterSeconds, MOST_PERIOD_SECONDS) }],
  };
  const name = workerName(platform, pool.name);
  const object = {
    apiVersion: API_VERSION,
    kind: 'ScaledObject',
    metadata: { name, labels: { [labels.workerPool]: pool.name } },
    spec: {
      scaleTargetRef: { name },
      minReplicaCount: minReplicas,
      maxReplicaCount: maxReplicas,
      pollingInterval: POLLING_SECONDS,
      cooldownPeriod: scaleInAfterSeconds,
      advanced: { horizontalPodAutoscalerConfig: { behavior: { scaleDown } } },
      triggers: [
        {
          type: 'rabbitmq',
          metadata: {
            protocol: 'http',
            host: managementHost(platform, withTls),
            vhostName: VHOST,
            mode: 'QueueLength',
            value: String(targetQueueLength),
            // One trigger for all queues: of several, the largest would count instead of the sum.
            queueName: `^(${pool.queues.map((queue) => queue.replaceAll('.', '\\.')).join('|')})$`,
            useRegex: 'true',
          },
          authenticationRef: { name: authenticationName(platform) },
        },
      ],
    },
  };
  return [object];
}

function managementHost(platform: Platform, withTls: boolean): string {
  const host = serviceHost(platform, rabbitmqName(platform));
  return withTls ? `https://${host}:${MANAGEMENT_TLS_PORT}` : `http://${host}:${MANAGEMENT_PORT}`;
}

/** With what KEDA logs in to RabbitMQ; for all pools of a platform. */
function triggerAuthentication(platform: Platform, withTls: boolean): KubeObject {
  const name = rabbitmqName(platform);
  const object = {
    apiVersion: API_VERSION,
    kind: 'TriggerAuthentication',
    metadata: { name: authenticationName(platform) },
    spec: {
      secretTargetRef: [
        { parameter: 'username', name, key: secretKeys.username },
        { parameter: 'password', name, key: secretKeys.password },
      ],
      ...(withTls
        ? {
            configMapTargetRef: [
              { parameter: 'tls', name, key: configFiles.kedaTls },
              { parameter: 'ca', name: bundleName(platform), key: BUNDLE_KEY },
            ],
          }
        : {}),
    },
  };
  return object;
}

/** What is left of KEDA's where it is no longer wanted. The Deployment keeps the size that it has. */
export function kedaLeftovers({ platform, children, effective }: Scope): Removal[] {
  const wanted = new Set(effective.workers.filter(isByKeda).map(({ name }) => name));
  const objects = children
    .list(resources.scaledObjects, 'worker')
    .filter(({ metadata }) => !wanted.has(metadata.labels?.[labels.workerPool] ?? ''))
    .map((object) => ({ resource: resources.scaledObjects, object }));
  const authentications =
    wanted.size > 0
      ? []
      : children
          .list(resources.triggerAuthentications, 'worker')
          .map((object) => ({ resource: resources.triggerAuthentications, object }));
  return [...objects, ...authentications].map(({ resource, object: { metadata } }) => ({
    ref: { resource, namespace: namespaceOf(platform), name: metadata.name },
    ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
  }));
}

/** Says of a pool that KEDA is to size that it does not, unless something worse is to be said. */
export function kedaCondition(scope: Scope, pool: EffectiveWorkerPool, condition: ConditionPlan): ConditionPlan {
  if (!isByKeda(pool) || condition.reason !== 'Healthy') return condition;
  if (!hasKeda(scope.children))
    return {
      status: 'True',
      reason: 'KedaNotInstalled',
      message: `pool ${pool.name} is to be sized by KEDA, and the cluster has no ${KEDA_DEFINITION}, so it keeps its size: install KEDA, or remove autoscaling.by`,
      degraded: true,
    };
  const name = workerName(scope.platform, pool.name);
  const ref = { resource: resources.scaledObjects, namespace: namespaceOf(scope.platform), name };
  const live = scope.children.get<WithConditions>(ref);
  if (!live?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'False')) return condition;
  return {
    status: 'True',
    reason: 'KedaNotReady',
    message: `KEDA does not size pool ${pool.name}; see kubectl describe scaledobject ${name}`,
    degraded: true,
  };
}

function authenticationName(platform: Platform): string {
  return childName(platform, 'worker');
}
