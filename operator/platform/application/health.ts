import type { ApplicationContainer } from './pod.ts';

/** Where workers and the beat answer probes and serve metrics. */
export const HEALTH_PORT = 8001;

type Probes = Pick<ApplicationContainer, 'ports' | 'startupProbe' | 'livenessProbe' | 'readinessProbe'>;

/** Probes of a pod that serves nothing but its health. */
export const healthProbes: Probes = {
  ports: [{ name: 'health', containerPort: HEALTH_PORT, protocol: 'TCP' }],
  startupProbe: {
    httpGet: { path: '/healthz', port: 'health' },
    periodSeconds: 1,
    timeoutSeconds: 2,
    failureThreshold: 90,
  },
  livenessProbe: {
    httpGet: { path: '/healthz', port: 'health' },
    periodSeconds: 10,
    timeoutSeconds: 5,
    failureThreshold: 3,
  },
  readinessProbe: {
    httpGet: { path: '/readyz', port: 'health' },
    periodSeconds: 5,
    timeoutSeconds: 4,
    failureThreshold: 3,
  },
};
