import { type Deployment, type HorizontalPodAutoscaler, type Pod, resources } from '../../../kube/resources.ts';
import type { BlockedBy, Component, ComponentPlan, Scope } from '../../core/component.ts';
import { labels, namespaceOf } from '../../core/names.ts';
import { hasPooledRoute } from '../../pooler/route.ts';
import { celeryEnvironment } from '../celery.ts';
import { databaseAccess } from '../database-access.ts';
import { blockedCondition, rolloutCondition, rolloutOf } from '../rollout.ts';
import { apiAutoscaler, apiDeployment, apiDisruptionBudget, apiName, apiService, initialReplicas } from './desired.ts';

/** The API: Deployment, Service, disruption budget, and an autoscaler unless the replicas are fixed. */
export const apiComponent: Component = {
  name: 'api',
  dependsOn: ['credentials', 'migrations'],
  probes: () => [],
  plan,
};

function plan(scope: Scope, blockedBy: readonly BlockedBy[]): ComponentPlan {
  const { platform, effective, children } = scope;
  const name = apiName(platform);
  const ref = { resource: resources.deployments, namespace: namespaceOf(platform), name };
  const live = children.get<Deployment>(ref);
  const rollout = rolloutOf(live, initialReplicas(effective.api));
  const pods = children.list<Pod>(resources.pods, 'api');
  const surroundings = [apiService(platform), apiDisruptionBudget(platform)];
  const status = {
    api: {
      replicas: live?.status?.replicas ?? 0,
      readyReplicas: rollout.ready,
      ready: `${rollout.ready}/${rollout.wanted}`,
      selector: selectorString(scope),
    },
  };
  // A Deployment that serves already goes on as it is until the new version's migrations are done.
  if (blockedBy.length > 0) {
    const condition =
      live === undefined ? blockedCondition(`Deployment ${name}`, blockedBy) : rolloutCondition(name, rollout, pods);
    return { objects: surroundings, condition: { ...condition, type: 'ApiReady' }, status };
  }
  const route = hasPooledRoute(scope) ? 'pooled' : 'plain';
  const celery = celeryEnvironment(effective.api.command, effective);
  const deployment = apiDeployment(platform, effective.api, databaseAccess(scope), celery, route);
  const autoscaler = apiAutoscaler(platform, effective.api);
  const { replicas } = effective.api;
  const autoscalerRef = { ...ref, resource: resources.horizontalPodAutoscalers };
  const leftover = autoscaler === undefined && children.get<HorizontalPodAutoscaler>(autoscalerRef) !== undefined;
  return {
    creates: [{ ...deployment, spec: { ...deployment.spec, replicas: initialReplicas(effective.api) } } as Deployment],
    objects: [deployment, ...surroundings, ...(autoscaler === undefined ? [] : [autoscaler])],
    remove: leftover ? [{ ref: autoscalerRef }] : [],
    scales: replicas === undefined ? [] : [{ ref, replicas }],
    condition: { ...rolloutCondition(name, rollout, pods), type: 'ApiReady' },
    status,
  };
}

/** Selector of the `scale` subresource, in the form of a query string. */
function selectorString({ platform }: Scope): string {
  return `${labels.platform}=${platform.metadata.name},${labels.component}=api`;
}
