import type { CertificateUse } from '../../certificates/use.ts';
import type { Scope } from '../../core/component.ts';
import { memberPods } from '../observe.ts';
import { tlsOf, tlsReadingOf } from './facts.ts';
import { dnsNames, offersTls, tlsSecretName } from './names.ts';

/** What Postgres needs of the platform's authority; undefined when nothing is or will be served with TLS. */
export function certificateUse(scope: Scope): CertificateUse | undefined {
  if (!tlsOf(scope).offer) return undefined;
  const members = memberPods(scope).filter(offersTls);
  const lacking = (isMissing: (pod: (typeof members)[number]) => boolean) =>
    members.filter(isMissing).map(({ metadata }) => metadata.name);
  return {
    leaves: [{ secret: tlsSecretName(scope.platform), component: 'postgres', dnsNames: dnsNames(scope.platform) }],
    distrusting: (authority) => lacking((pod) => tlsReadingOf(scope, pod)?.trusted.includes(authority) !== true),
    unserved: (leaf) => lacking((pod) => tlsReadingOf(scope, pod)?.presented !== leaf),
  };
}
