import { certificateAnnotations } from '../certificates/names.ts';
import type { CertificateUse } from '../certificates/use.ts';
import type { Scope } from '../core/component.ts';
import { labels } from '../core/names.ts';
import { applicationPods } from '../postgres/tls/facts.ts';

/**
 * What the application needs of the platform's authority, whoever it talks to: nothing to serve with. Its pods have the bundle that was there when they
 * were made, and are replaced for a new one. Their names are random.
 */
export function applicationCertificateUse(scope: Scope): CertificateUse {
  return {
    leaves: [],
    distrusting: (authority) => {
      const components = applicationPods(scope)
        .filter(({ metadata }) => {
          const known = metadata.annotations?.[certificateAnnotations.newestAuthority];
          return known !== undefined && known !== authority;
        })
        .map(({ metadata }) => `pods of ${metadata.labels?.[labels.component]}`);
      return [...new Set(components)].toSorted();
    },
    unserved: () => [],
  };
}
