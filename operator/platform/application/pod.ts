import type { Deployment, Pod } from '../../kube/resources.ts';
import { BUNDLE_PATH } from '../certificates/names.ts';
import type { ComponentName } from '../core/component.ts';
import type { ResourceRequirements } from '../core/effective.ts';
import { childName, commonLabels } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import {
  containerSecurityContext,
  podSecurityContext,
  quickDns,
  quickEviction,
  spreadOverNodes,
} from '../core/pods.ts';
import { POOLED_ROUTE, ROUTE_ANNOTATION } from '../pooler/names.ts';
import { DIRECT_URL_KEY } from '../pooler/route.ts';
import type { DatabaseAccess } from './database-access.ts';

export type PodTemplate = NonNullable<NonNullable<Deployment['spec']>['template']>;
type PodSpec = NonNullable<Pod['spec']>;
type Container = PodSpec['containers'][number];

/** The user that the application's images run as. */
const APPLICATION_UID = 1000;

/** A lost node's application pods are stateless: they start elsewhere as soon as the node is given up. */
const EVICTION_SECONDS = 30;

export interface ApplicationContainer {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly resources: ResourceRequirements;
  readonly ports?: NonNullable<Container['ports']>;
  readonly livenessProbe?: NonNullable<Container['livenessProbe']>;
  readonly readinessProbe?: NonNullable<Container['readinessProbe']>;
  readonly startupProbe?: NonNullable<Container['startupProbe']>;
  readonly lifecycle?: NonNullable<Container['lifecycle']>;
}

/** The Secret with everything that the API, the workers and the beat read. */
export function applicationSecretName(platform: Platform): string {
  return childName(platform, 'app');
}

/** How a pod of the application reaches Postgres. */
export type DatabaseRoute =
  /** By DATABASE_URL, which leads to the primary. */
  | 'plain'
  /** By DATABASE_URL, which leads to the pooler. */
  | 'pooled'
  /** DATABASE_URL leads to the pooler, where a session of one's own is not to be had: migrations lock with theirs. */
  | 'direct';

/** A pod of the application: one container that reads its connections from the platform's Secret. */
export function applicationPod(
  platform: Platform,
  component: ComponentName,
  selector: Record<string, string>,
  container: ApplicationContainer,
  access: DatabaseAccess,
  overrides: Partial<PodSpec> = {},
  route: DatabaseRoute = 'plain',
): PodTemplate {
  const { name, image, command, env, resources, ...probes } = container;
  const annotations = { ...access.annotations, ...(route === 'pooled' ? { [ROUTE_ANNOTATION]: POOLED_ROUTE } : {}) };
  return {
    metadata: {
      labels: { ...commonLabels(platform, component), ...selector },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      dnsConfig: quickDns,
      securityContext: podSecurityContext(APPLICATION_UID),
      affinity: spreadOverNodes(selector, 'preferred'),
      tolerations: quickEviction(EVICTION_SECONDS),
      ...overrides,
      containers: [
        {
          name,
          image,
          command: [...command],
          env: [
            ...Object.entries(env).map(([key, value]) => ({ name: key, value })),
            ...(route === 'direct' ? [directUrl(platform)] : []),
          ],
          envFrom: [{ secretRef: { name: applicationSecretName(platform) } }],
          resources: resources as NonNullable<Container['resources']>,
          securityContext: containerSecurityContext,
          volumeMounts: [
            { name: 'tmp', mountPath: '/tmp' },
            ...(access.bundle === undefined ? [] : [{ name: 'ca', mountPath: BUNDLE_PATH, readOnly: true }]),
          ],
          ...probes,
        },
      ],
      volumes: [
        { name: 'tmp', emptyDir: {} },
        ...(access.bundle === undefined ? [] : [{ name: 'ca', configMap: { name: access.bundle } }]),
      ],
    },
  };
}

/** Stands in for the Secret's own DATABASE_URL. */
function directUrl(platform: Platform): NonNullable<Container['env']>[number] {
  const secretKeyRef = { name: applicationSecretName(platform), key: DIRECT_URL_KEY };
  return { name: 'DATABASE_URL', valueFrom: { secretKeyRef } };
}
