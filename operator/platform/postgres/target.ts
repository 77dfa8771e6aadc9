import { type Pod, resources, type Secret } from '../../kube/resources.ts';
import { readAuthority, trusted } from '../certificates/authority.ts';
import { authoritySecretName, leafKeys } from '../certificates/names.ts';
import type { Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import { secretValue } from '../core/secrets.ts';
import { POSTGRES_PORT } from './names.ts';
import type { SqlTarget } from './sql-session.ts';
import { offersTls } from './tls/facts.ts';
import { memberHost, tlsSecretName } from './tls/names.ts';

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
  const ca = bundle(scope);
  return { ...target, tls: { ca, servername: memberHost(platform, member) } };
}

/** Without an authority that can be read, those that were trusted when the certificate in use was issued. */
function bundle(scope: Scope): string {
  const { children, platform } = scope;
  const ref = { resource: resources.secrets, namespace: namespaceOf(platform), name: authoritySecretName(platform) };
  const secret = children.get<Secret>(ref);
  const authority = secret === undefined ? undefined : readAuthority(secret);
  if (authority === undefined) return secretValue(scope, tlsSecretName(platform), leafKeys.authorities) ?? '';
  return trusted(authority)
    .map(({ pem }) => pem)
    .join('');
}
