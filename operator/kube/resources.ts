import type {
  V1ConfigMap,
  V1Deployment,
  V1Job,
  V1Node,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodDisruptionBudget,
  V1Role,
  V1RoleBinding,
  V1Secret,
  V1Service,
  V1ServiceAccount,
  V1StatefulSet,
  V1StorageClass,
  V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node';
import type { Json, KubeObject, ObjectMeta, Resource } from './types.ts';

/** An object of a built-in kind, with what every object has made certain. */
type Built<T> = Omit<Json<T>, 'metadata' | 'apiVersion' | 'kind'> & KubeObject & { metadata: ObjectMeta };

/** Conditions of a resource that is not built in. */
export interface WithConditions extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export type ConfigMap = Built<V1ConfigMap>;
export type Deployment = Built<V1Deployment>;
export type HorizontalPodAutoscaler = Built<V2HorizontalPodAutoscaler>;
export type Job = Built<V1Job>;
export type Node = Built<V1Node>;
export type PersistentVolumeClaim = Built<V1PersistentVolumeClaim>;
export type Pod = Built<V1Pod>;
export type PodDisruptionBudget = Built<V1PodDisruptionBudget>;
export type Role = Built<V1Role>;
export type RoleBinding = Built<V1RoleBinding>;
export type Secret = Built<V1Secret>;
export type Service = Built<V1Service>;
export type ServiceAccount = Built<V1ServiceAccount>;
export type StatefulSet = Built<V1StatefulSet>;
export type StorageClass = Built<V1StorageClass>;

function namespaced(apiVersion: string, kind: string, plural: string): Resource {
  return { apiVersion, kind, plural, namespaced: true };
}

function ofCluster(apiVersion: string, kind: string, plural: string): Resource {
  return { apiVersion, kind, plural, namespaced: false };
}

/** The resources that the operator reads or writes. */
export const resources = {
  configMaps: namespaced('v1', 'ConfigMap', 'configmaps'),
  customResourceDefinitions: ofCluster(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    'customresourcedefinitions',
  ),
  deployments: namespaced('apps/v1', 'Deployment', 'deployments'),
  events: namespaced('events.k8s.io/v1', 'Event', 'events'),
  horizontalPodAutoscalers: namespaced('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'),
  jobs: namespaced('batch/v1', 'Job', 'jobs'),
  leases: namespaced('coordination.k8s.io/v1', 'Lease', 'leases'),
  nodes: ofCluster('v1', 'Node', 'nodes'),
  persistentVolumeClaims: namespaced('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  platforms: namespaced('isp.support/v1alpha1', 'IspSupportPlatform', 'ispsupportplatforms'),
  podDisruptionBudgets: namespaced('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  pods: namespaced('v1', 'Pod', 'pods'),
  roleBindings: namespaced('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'),
  roles: namespaced('rbac.authorization.k8s.io/v1', 'Role', 'roles'),
  scaledObjects: namespaced('keda.sh/v1alpha1', 'ScaledObject', 'scaledobjects'),
  secrets: namespaced('v1', 'Secret', 'secrets'),
  serviceAccounts: namespaced('v1', 'ServiceAccount', 'serviceaccounts'),
  services: namespaced('v1', 'Service', 'services'),
  statefulSets: namespaced('apps/v1', 'StatefulSet', 'statefulsets'),
  storageClasses: ofCluster('storage.k8s.io/v1', 'StorageClass', 'storageclasses'),
  triggerAuthentications: namespaced('keda.sh/v1alpha1', 'TriggerAuthentication', 'triggerauthentications'),
} as const satisfies Record<string, Resource>;

const byKind = new Map(
  Object.values(resources).map((resource) => [`${resource.apiVersion}/${resource.kind}`, resource]),
);

/** The resource that an object belongs to; throws for a kind that the operator does not know. */
export function resourceOf(object: Pick<KubeObject, 'apiVersion' | 'kind'>): Resource {
  const resource = byKind.get(`${object.apiVersion}/${object.kind}`);
  if (resource === undefined) throw new TypeError(`no resource is known for ${object.apiVersion} ${object.kind}`);
  return resource;
}
