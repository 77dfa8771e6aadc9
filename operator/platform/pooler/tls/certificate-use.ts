import { bundleFile } from '../../certificates/bundle.ts';
import type { CertificateUse } from '../../certificates/use.ts';
import type { Scope } from '../../core/component.ts';
import { postgresBundle } from '../../postgres/target.ts';
import { tlsOf } from '../../postgres/tls/facts.ts';
import { offersTls } from '../../postgres/tls/names.ts';
import { poolerName } from '../names.ts';
import { isPoolerInUse } from '../route.ts';
import { type TlsPod, tlsPods } from './facts.ts';
import { poolerDnsNames, poolerTlsSecretName } from './names.ts';

/** What the poolers need of the platform's authority; undefined when none serves with TLS, or will. */
export function poolerCertificateUse(scope: Scope): CertificateUse | undefined {
  const { platform, effective } = scope;
  const pods = tlsPods(scope).filter(({ pod }) => offersTls(pod));
  const { enabled } = effective.postgres.pooler;
  const isNeeded = enabled ? tlsOf(scope).pool || pods.length > 0 : pods.length > 0 && isPoolerInUse(scope);
  if (!isNeeded) return undefined;
  const lacking = (isMissing: (pod: TlsPod) => boolean) => [
    ...new Set(pods.filter(isMissing).map(({ kind }) => poolerName(platform, kind))),
  ];
  return {
    leaves: [{ secret: poolerTlsSecretName(platform), component: 'pooler', dnsNames: poolerDnsNames(platform) }],
    // Who has the bundle has the newest authority, which is in it.
    distrusting: () => lacking(({ reading }) => reading?.bundle !== bundleFile(postgresBundle(scope))),
    unserved: (leaf) => lacking(({ reading }) => reading?.presented !== leaf),
  };
}
