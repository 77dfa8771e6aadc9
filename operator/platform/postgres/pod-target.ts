import { type Pod, resources, type Secret } from '../../kube/resources.ts';
import type { Scope } from '../core/component.ts';
import { shortHash } from '../core/hash.ts';
import { namespaceOf } from '../core/names.ts';
import { secretValue } from '../core/secrets.ts';
import { adminKeys, adminSecretName, SUPERUSER } from './names.ts';
import type { SqlTarget } from './sql-session.ts';
import { memberTarget } from './target.ts';

/** The superuser's way into a member that runs. */
export function superuserTarget(scope: Scope, pod: Pod): SqlTarget | undefined {
  const host = pod.status?.podIP;
  const password = secretValue(scope, adminSecretName(scope.platform), adminKeys.superuser);
  if (host === undefined || password === undefined || pod.status?.phase !== 'Running') return undefined;
  return memberTarget(scope, pod.metadata.name, { host, database: 'postgres', user: SUPERUSER, password });
}

/** Changes with where a pod is and with what it is asked, so that its probes are started anew. */
export function targetKey(scope: Scope, pod: Pod, target: SqlTarget): string {
  const version = versionOf(scope, adminSecretName(scope.platform));
  return [target.host, pod.metadata.uid, version, ...authorities(target)].join(' ');
}

/** Changes with what the operator trusts, so that a probe is started anew with it. */
export function authorities({ tls }: SqlTarget): string[] {
  return tls === undefined ? [] : [shortHash(tls.ca)];
}

/** Changes with the Secret, so that a probe is started anew with a new password without showing it. */
export function versionOf({ children, platform }: Scope, name: string): string {
  const ref = { resource: resources.secrets, namespace: namespaceOf(platform), name };
  return children.get<Secret>(ref)?.metadata.resourceVersion ?? '';
}
