import type { CertificateUse } from '../../certificates/use.ts';
import type { Scope } from '../../core/component.ts';
import { involvesTls, nodePods, tlsReadingOf } from './facts.ts';
import { dnsNames, listeningOf, tlsSecretName } from './names.ts';

/** What RabbitMQ needs of the platform's authority; undefined when nothing is or will be served with TLS. Nodes verify nobody, so they trust whom they like. */
export function rabbitmqCertificateUse(scope: Scope): CertificateUse | undefined {
  if (!involvesTls(scope)) return undefined;
  return {
    leaves: [{ secret: tlsSecretName(scope.platform), component: 'rabbitmq', dnsNames: dnsNames(scope.platform) }],
    distrusting: () => [],
    unserved: (leaf) =>
      nodePods(scope)
        .filter((pod) => listeningOf(pod.metadata) !== 'plain' && tlsReadingOf(scope, pod)?.presented !== leaf)
        .map(({ metadata }) => metadata.name),
  };
}
