import type { PodDisruptionBudget, Service } from '../../kube/resources.ts';
import { commonLabels, selectorLabels } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import {
  AMQP_PORT,
  DISTRIBUTION_PORT,
  EPMD_PORT,
  MANAGEMENT_PORT,
  nodesServiceName,
  PROMETHEUS_PORT,
  rabbitmqName,
} from './names.ts';

/** No pod has it: a Service that asks for it leads nowhere. */
const CLOSED = { 'isp.support/rabbitmq': 'forming' };

/**
 * Where applications, and people with a browser, find any node that serves. Closed until all nodes have come together for the first
 * time: a queue that is declared earlier gets replicas on the nodes there are, and no more later on.
 */
export function clientService(platform: Platform, open: boolean): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: rabbitmqName(platform), labels: commonLabels(platform, 'rabbitmq') },
    spec: {
      type: 'ClusterIP',
      selector: { ...selectorLabels(platform, 'rabbitmq'), ...(open ? {} : CLOSED) },
      ports: [
        { name: 'amqp', port: AMQP_PORT, protocol: 'TCP', targetPort: 'amqp' },
        { name: 'management', port: MANAGEMENT_PORT, protocol: 'TCP', targetPort: 'management' },
        { name: 'prometheus', port: PROMETHEUS_PORT, protocol: 'TCP', targetPort: 'prometheus' },
      ],
    },
  };
}

/** Whether a client Service leads to the nodes. */
export function isOpen(service: Service): boolean {
  return Object.keys(CLOSED).every((label) => service.spec?.selector?.[label] === undefined);
}

/** Names for the nodes, from before they are ready: they have to find each other first. */
export function nodesService(platform: Platform): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: nodesServiceName(platform), labels: commonLabels(platform, 'rabbitmq') },
    spec: {
      type: 'ClusterIP',
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: selectorLabels(platform, 'rabbitmq'),
      ports: [
        { name: 'epmd', port: EPMD_PORT, protocol: 'TCP', targetPort: 'epmd' },
        { name: 'distribution', port: DISTRIBUTION_PORT, protocol: 'TCP', targetPort: 'distribution' },
      ],
    },
  };
}

/** A drain takes one node at a time, which a quorum of three bears; and none while a queue needs all the replicas that it has. */
export function disruptionBudget(platform: Platform, critical: boolean): PodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: rabbitmqName(platform), labels: commonLabels(platform, 'rabbitmq') },
    spec: { maxUnavailable: critical ? 0 : 1, selector: { matchLabels: selectorLabels(platform, 'rabbitmq') } },
  };
}
