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
import { AMQPS_PORT, type Listening, MANAGEMENT_TLS_PORT } from './tls/names.ts';

/** No pod has it: a Service that asks for it leads nowhere. */
const CLOSED = { 'isp.support/rabbitmq': 'forming' };

/**
 * Where applications, and people with a browser, find any node that serves. Closed until all nodes have come together for the first
 * time: a queue that is declared earlier gets replicas on the nodes there are, and no more later on.
 */
export function clientService(platform: Platform, open: boolean, listening: Listening): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: rabbitmqName(platform), labels: commonLabels(platform, 'rabbitmq') },
    spec: {
      type: 'ClusterIP',
      selector: { ...selectorLabels(platform, 'rabbitmq'), ...(open ? {} : CLOSED) },
      ports: clientPorts(listening).map(({ name, port }) => ({ name, port, protocol: 'TCP', targetPort: name })),
    },
  };
}

/** What a node listens on for clients, each with its name. */
export function clientPorts(listening: Listening): readonly { readonly name: string; readonly port: number }[] {
  const plain = [
    { name: 'amqp', port: AMQP_PORT },
    { name: 'management', port: MANAGEMENT_PORT },
  ];
  const secured = [
    { name: 'amqps', port: AMQPS_PORT },
    { name: 'management-tls', port: MANAGEMENT_TLS_PORT },
  ];
  return [
    ...(listening === 'tls' ? [] : plain),
    ...(listening === 'plain' ? [] : secured),
    { name: 'prometheus', port: PROMETHEUS_PORT },
  ];
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
