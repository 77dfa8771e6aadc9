import type { Deployment, HorizontalPodAutoscaler, PodDisruptionBudget, Service } from '../../../kube/resources.ts';
import type { EffectiveApi } from '../../core/effective.ts';
import { childName, selectorLabels } from '../../core/names.ts';
import type { Platform } from '../../core/platform.ts';
import type { DatabaseAccess } from '../database-access.ts';
import { applicationPod, type DatabaseRoute } from '../pod.ts';

export const API_PORT = 8000;
const REFERENCE_COMMAND = ['node', '/app/api.js'];
/** The reference API finishes what it has begun within 25 s of a SIGTERM. */
const TERMINATION_SECONDS = 35;

export function apiName(platform: Platform): string {
  return childName(platform, 'api');
}

/** The replicas that a new Deployment starts with; from then on they belong to whoever scales it. */
export function initialReplicas(api: EffectiveApi): number {
  return api.autoscaling?.minReplicas ?? api.replicas ?? 1;
}

/** The API's Deployment, without its replicas. */
export function apiDeployment(
  platform: Platform,
  api: EffectiveApi,
  access: DatabaseAccess,
  celery: Readonly<Record<string, string>>,
  route: DatabaseRoute,
): Deployment {
  const selector = selectorLabels(platform, 'api');
  // A pod that cannot reach Postgres takes no traffic; an image of the user's own promises no more than /health.
  const readiness = api.command === undefined ? '/ready' : '/health';
  const template = applicationPod(
    platform,
    'api',
    selector,
    {
      name: 'api',
      image: api.image,
      command: api.command ?? REFERENCE_COMMAND,
      env: {
        PORT: String(API_PORT),
        API_PROCESSES: String(api.processes),
        API_MAX_CONNECTIONS: String(api.maxConnections),
        ...celery,
      },
      resources: api.resources,
      ports: [{ name: 'http', containerPort: API_PORT, protocol: 'TCP' }],
      startupProbe: {
        httpGet: { path: '/health', port: 'http' },
        periodSeconds: 1,
        timeoutSeconds: 2,
        failureThreshold: 90,
      },
      livenessProbe: {
        httpGet: { path: '/health', port: 'http' },
        periodSeconds: 10,
        timeoutSeconds: 5,
        failureThreshold: 3,
      },
      readinessProbe: {
        httpGet: { path: readiness, port: 'http' },
        periodSeconds: 5,
        timeoutSeconds: 4,
        failureThreshold: 3,
      },
      // Proxies go on sending for a moment after a pod has begun to end.
      lifecycle: { preStop: { sleep: { seconds: 3 } } },
    },
    access,
    { terminationGracePeriodSeconds: TERMINATION_SECONDS },
    route,
  );
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: apiName(platform) },
    spec: {
      selector: { matchLabels: selector },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template,
    },
  };
}

export function apiService(platform: Platform): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: apiName(platform) },
    spec: {
      selector: selectorLabels(platform, 'api'),
      ports: [{ name: 'http', port: API_PORT, targetPort: 'http', protocol: 'TCP' }],
    },
  };
}

export function apiDisruptionBudget(platform: Platform): PodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: apiName(platform) },
    spec: { maxUnavailable: 1, selector: { matchLabels: selectorLabels(platform, 'api') } },
  };
}

/** The API's autoscaler; undefined where the user fixes the replicas. */
export function apiAutoscaler(platform: Platform, api: EffectiveApi): HorizontalPodAutoscaler | undefined {
  if (api.autoscaling === undefined) return undefined;
  const { minReplicas, maxReplicas, targetCPUUtilizationPercentage } = api.autoscaling;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: apiName(platform) },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: apiName(platform) },
      minReplicas,
      maxReplicas,
      metrics: [
        {
          type: 'Resource',
          resource: {
            name: 'cpu',
            target: { type: 'Utilization', averageUtilization: targetCPUUtilizationPercentage },
          },
        },
      ],
    },
  };
}
