import type { Role, RoleBinding, ServiceAccount } from '../../kube/resources.ts';
import { commonLabels } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import { clusterName, patroniStateNames } from './names.ts';

/**
 * What Patroni may do: keep its state in its own ConfigMaps and label its own members' pods. `create`, `list` and `watch` cannot be
 * limited to names.
 */
export function patroniAccess(platform: Platform, members: number): [ServiceAccount, Role, RoleBinding] {
  const name = clusterName(platform);
  const metadata = { name, labels: commonLabels(platform, 'postgres') };
  const pods = Array.from({ length: members }, (_, ordinal) => `${name}-${ordinal}`);
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata,
      rules: [
        { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'list', 'watch'] },
        {
          apiGroups: [''],
          resources: ['configmaps'],
          resourceNames: Object.values(patroniStateNames(platform)),
          verbs: ['get', 'patch'],
        },
        { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
        { apiGroups: [''], resources: ['pods'], resourceNames: pods, verbs: ['get', 'patch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, ...namespace(platform) }],
    },
  ];
}

function namespace(platform: Platform): { namespace?: string } {
  return platform.metadata.namespace === undefined ? {} : { namespace: platform.metadata.namespace };
}
