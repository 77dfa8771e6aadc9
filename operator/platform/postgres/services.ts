import { type PodDisruptionBudget, resources, type Service } from '../../kube/resources.ts';
import type { Removal, Scope } from '../core/component.ts';
import { commonLabels, labels, namespaceOf, selectorLabels } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import {
  clusterName,
  PATRONI_PORT,
  POSTGRES_PORT,
  PRIMARY_ROLE,
  primaryServiceName,
  REPLICA_ROLE,
  replicasServiceName,
  roleSelector,
} from './names.ts';

const postgresPort = { name: 'postgres', port: POSTGRES_PORT, targetPort: 'postgres', protocol: 'TCP' };

/** Writes, reads, and the members by name. A pod on its way out gets no new connection: only the headless one lists what is not ready. */
export function services(platform: Platform): Service[] {
  const members: NonNullable<Service['spec']> = {
    type: 'ClusterIP',
    clusterIP: 'None',
    publishNotReadyAddresses: true,
    selector: selectorLabels(platform, 'postgres'),
    ports: [postgresPort, { name: 'patroni', port: PATRONI_PORT, targetPort: 'patroni', protocol: 'TCP' }],
  };
  return [
    service(platform, clusterName(platform), members),
    service(platform, primaryServiceName(platform), byRole(platform, PRIMARY_ROLE)),
    service(platform, replicasServiceName(platform), byRole(platform, REPLICA_ROLE)),
  ];
}

function byRole(platform: Platform, role: string): NonNullable<Service['spec']> {
  return { type: 'ClusterIP', selector: roleSelector(platform, role), ports: [postgresPort] };
}

function service(platform: Platform, name: string, spec: NonNullable<Service['spec']>): Service {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, labels: commonLabels(platform, 'postgres') }, spec };
}

/**
 * A drain takes one standby at a time, and only while the others are ready; the primary, only when it has handed over and is none any more. No pod may be in
 * two budgets, for then it cannot be evicted at all. A single instance has nobody to hand over to, and is let go.
 */
export function disruptionBudgets(platform: Platform, instances: number): PodDisruptionBudget[] {
  const selector = selectorLabels(platform, 'postgres');
  if (instances === 1)
    return [budget(platform, clusterName(platform), { maxUnavailable: 1, selector: { matchLabels: selector } })];
  const notPrimary = { key: labels.role, operator: 'NotIn', values: [PRIMARY_ROLE] };
  return [
    // By number: what may be unavailable is counted by the StatefulSet, of which these are a part only.
    budget(platform, clusterName(platform), {
      minAvailable: instances - 2,
      selector: { matchLabels: selector, matchExpressions: [notPrimary] },
    }),
    budget(platform, primaryServiceName(platform), {
      minAvailable: 1,
      selector: { matchLabels: roleSelector(platform, PRIMARY_ROLE) },
    }),
  ];
}

/** The primary's own budget where there is nobody to hand over to any more: it would hold up every drain for good. */
export function surplusBudget({ platform, children }: Scope, instances: number): Removal[] {
  const name = primaryServiceName(platform);
  const ref = { resource: resources.podDisruptionBudgets, namespace: namespaceOf(platform), name };
  return instances === 1 && children.get(ref) !== undefined ? [{ ref }] : [];
}

function budget(platform: Platform, name: string, spec: NonNullable<PodDisruptionBudget['spec']>): PodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, labels: commonLabels(platform, 'postgres') },
    spec: { ...spec, unhealthyPodEvictionPolicy: 'IfHealthyBudget' },
  };
}
