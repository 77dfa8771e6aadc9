import { certificateAnnotations } from '../../certificates/names.ts';
import type { CertificateUse } from '../../certificates/use.ts';
import type { Scope } from '../../core/component.ts';
import { labels } from '../../core/names.ts';
import { memberPods } from '../observe.ts';
import { applicationPods, offersTls, tlsOf, tlsReadingOf } from './facts.ts';
import { dnsNames, tlsSecretName } from './names.ts';

/** What Postgres and its clients need of the platform's authority; undefined when nothing is or will be served with TLS. */
export function certificateUse(scope: Scope): CertificateUse | undefined {
  if (!tlsOf(scope).offer) return undefined;
  const members = memberPods(scope).filter(offersTls);
  const lacking = (isMissing: (pod: (typeof members)[number]) => boolean) =>
    members.filter(isMissing).map(({ metadata }) => metadata.name);
  return {
    leaves: [{ secret: tlsSecretName(scope.platform), component: 'postgres', dnsNames: dnsNames(scope.platform) }],
    distrusting: (authority) => [
      ...lacking((pod) => tlsReadingOf(scope, pod)?.trusted.includes(authority) !== true),
      ...distrustingClients(scope, authority),
    ],
    unserved: (leaf) => lacking((pod) => tlsReadingOf(scope, pod)?.presented !== leaf),
  };
}

/** The application's pods have the bundle that was there when they were made, and are replaced for a new one. Their names are random. */
function distrustingClients(scope: Scope, authority: string): string[] {
  const components = applicationPods(scope)
    .filter(({ metadata }) => {
      const known = metadata.annotations?.[certificateAnnotations.newestAuthority];
      return known !== undefined && known !== authority;
    })
    .map(({ metadata }) => `pods of ${metadata.labels?.[labels.component]}`);
  return [...new Set(components)].toSorted();
}
