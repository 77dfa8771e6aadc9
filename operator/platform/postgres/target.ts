import { type Pod, resources } from '../../kube/resources.ts';
import { trustedBundle } from '../certificates/bundle.ts';
import type { Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import { POSTGRES_PORT } from './names.ts';
import type { SqlTarget } from './sql-session.ts';
import { memberHost, offersTls, tlsSecretName } from './tls/names.ts';

/** The way into a member, with TLS where its pod has it: its certificate must be of an authority of the platform, and in its name. */
export function memberTarget(
  scope: Scope,
  member: string,
  login: Pick<SqlTarget, 'host' | 'database' | 'user' | 'password'>,
): SqlTarget {
  const { children, platform } = scope;
  const pod = children.get<Pod>({ resource: resources.pods, namespace: namespaceOf(platform), name: member });
  const target = { ...login, port: POSTGRES_PORT };
  if (pod === undefined || !offersTls(pod)) return target;
  return { ...target, tls: { ca: postgresBundle(scope), servername: memberHost(platform, member) } };
}

/** Whom clients of Postgres are to trust (PEM). */
export function postgresBundle(scope: Scope): string {
  return trustedBundle(scope, tlsSecretName(scope.platform));
}
