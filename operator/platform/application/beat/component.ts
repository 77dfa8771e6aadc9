import { type Deployment, type Pod, resources } from '../../../kube/resources.ts';
import type { BlockedBy, Component, ComponentPlan, Scope } from '../../core/component.ts';
import { childName, namespaceOf, selectorLabels } from '../../core/names.ts';
import { hasPooledRoute } from '../../pooler/route.ts';
import { databaseAccess } from '../database-access.ts';
import { HEALTH_PORT, healthProbes } from '../health.ts';
import { applicationPod } from '../pod.ts';
import { blockedCondition, rolloutCondition, rolloutOf } from '../rollout.ts';

const COMMAND = ['node', '/app/beat.js'];

/** The scheduler of recurring tasks. One pod; that two of them would send nothing twice is the beat's own promise. */
export const beatComponent: Component = {
  name: 'beat',
  dependsOn: ['credentials', 'migrations', 'rabbitmq'],
  probes: () => [],
  plan,
};

function plan(scope: Scope, blockedBy: readonly BlockedBy[]): ComponentPlan {
  const { platform, effective, children } = scope;
  const name = childName(platform, 'beat');
  const ref = { resource: resources.deployments, namespace: namespaceOf(platform), name };
  const live = children.get<Deployment>(ref);
  const pods = children.list<Pod>(resources.pods, 'beat');
  if (!effective.beat.enabled) {
    const condition = { status: 'True', reason: 'Disabled', message: 'switched off by spec.beat.enabled' } as const;
    return { objects: [], remove: live === undefined ? [] : [{ ref }], condition };
  }
  if (blockedBy.length > 0) {
    const condition =
      live === undefined
        ? blockedCondition(`Deployment ${name}`, blockedBy)
        : rolloutCondition(name, rolloutOf(live, 1), pods);
    return { objects: [], condition };
  }
  return {
    objects: [beatDeployment(scope, name)],
    scales: [{ ref, replicas: 1 }],
    condition: rolloutCondition(name, rolloutOf(live, 1), pods),
  };
}

function beatDeployment(scope: Scope, name: string): Deployment {
  const { platform, effective } = scope;
  const selector = selectorLabels(platform, 'beat');
  const { image, resources: requirements } = effective.beat;
  const container = {
    name: 'beat',
    image,
    command: COMMAND,
    env: { HEALTH_PORT: String(HEALTH_PORT) },
    resources: requirements,
    ...healthProbes,
  };
  const template = applicationPod(
    platform,
    'beat',
    selector,
    container,
    databaseAccess(scope),
    {},
    hasPooledRoute(scope) ? 'pooled' : 'plain',
  );
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { selector: { matchLabels: selector }, strategy: { type: 'Recreate' }, template },
  };
}
