import { parseArgs } from 'node:util';
import {
  AppsV1Api,
  AutoscalingV2Api,
  BatchV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
  PolicyV1Api,
  RbacAuthorizationV1Api,
} from '@kubernetes/client-node';
import { labels } from '../../../operator/platform/core/names.ts';
import { compare } from './compared-client.ts';

/** The official client and its informers over the same kinds and labels. */
const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string', default: '' },
    namespace: { type: 'string', default: '' },
    name: { type: 'string', default: '' },
  },
});
const config = new KubeConfig();
config.loadFromFile(values.kubeconfig);
const core = config.makeApiClient(CoreV1Api);
const apps = config.makeApiClient(AppsV1Api);
const rbac = config.makeApiClient(RbacAuthorizationV1Api);
const own = { group: 'isp.support', version: 'v1alpha1', resourcePlural: 'ispsupportplatforms' };
const by = { labelSelector: labels.platform };

type List = () => Promise<KubernetesListObject<KubernetesObject>>;
const children: readonly (readonly [path: string, list: List])[] = [
  ['/api/v1/configmaps', () => core.listConfigMapForAllNamespaces(by)],
  ['/apis/apps/v1/deployments', () => apps.listDeploymentForAllNamespaces(by)],
  [
    '/apis/autoscaling/v2/horizontalpodautoscalers',
    () => config.makeApiClient(AutoscalingV2Api).listHorizontalPodAutoscalerForAllNamespaces(by),
  ],
  ['/apis/batch/v1/jobs', () => config.makeApiClient(BatchV1Api).listJobForAllNamespaces(by)],
  ['/api/v1/persistentvolumeclaims', () => core.listPersistentVolumeClaimForAllNamespaces(by)],
  [
    '/apis/policy/v1/poddisruptionbudgets',
    () => config.makeApiClient(PolicyV1Api).listPodDisruptionBudgetForAllNamespaces(by),
  ],
  ['/api/v1/pods', () => core.listPodForAllNamespaces(by)],
  ['/apis/rbac.authorization.k8s.io/v1/rolebindings', () => rbac.listRoleBindingForAllNamespaces(by)],
  ['/apis/rbac.authorization.k8s.io/v1/roles', () => rbac.listRoleForAllNamespaces(by)],
  ['/api/v1/secrets', () => core.listSecretForAllNamespaces(by)],
  ['/api/v1/serviceaccounts', () => core.listServiceAccountForAllNamespaces(by)],
  ['/api/v1/services', () => core.listServiceForAllNamespaces(by)],
  ['/apis/apps/v1/statefulsets', () => apps.listStatefulSetForAllNamespaces(by)],
];
const platforms = makeInformer(
  config,
  `/apis/${own.group}/${own.version}/${own.resourcePlural}`,
  async () =>
    (await config
      .makeApiClient(CustomObjectsApi)
      .listCustomObjectForAllNamespaces(own)) as KubernetesListObject<KubernetesObject>,
);
const informers = [...children.map(([path, list]) => makeInformer(config, path, list, labels.platform)), platforms];

await compare({
  async sync() {
    await Promise.all(informers.map((informer) => informer.start()));
    return informers.reduce((sum, informer) => sum + informer.list().length, 0);
  },
  async read() {
    await core.readNamespacedConfigMap({ namespace: values.namespace, name: values.name });
  },
});
