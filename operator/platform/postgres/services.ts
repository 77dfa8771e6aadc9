import type { PodDisruptionBudget, Service } from '../../kube/resources.ts';
import { commonLabels, selectorLabels } from '../core/names.ts';
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

/** A drain takes one member at a time, and only while the others are ready. */
export function disruptionBudget(platform: Platform): PodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: clusterName(platform), labels: commonLabels(platform, 'postgres') },
    spec: {
      maxUnavailable: 1,
      selector: { matchLabels: selectorLabels(platform, 'postgres') },
      unhealthyPodEvictionPolicy: 'IfHealthyBudget',
    },
  };
}
