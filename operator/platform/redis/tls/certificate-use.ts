import { basename } from 'node:path/posix';
import { type Pod, resources } from '../../../kube/resources.ts';
import type { CertificateUse } from '../../certificates/use.ts';
import type { Scope } from '../../core/component.ts';
import { partOf } from '../sentinel/names.ts';
import { dnsNames, tlsSecretName } from './names.ts';
import { BUNDLE_ANNOTATION } from './sentinel-pod.ts';
import { tlsReadingOf, wantedTls } from './wanted.ts';

/** What Redis needs of the platform's authority; undefined when it speaks without TLS. */
export function redisCertificateUse(scope: Scope): CertificateUse | undefined {
  if (!scope.effective.redis.tls.enabled) return undefined;
  const bundle = wantedTls(scope)?.bundle;
  const lacking = (isMissing: (pod: Pod) => boolean) =>
    scope.children
      .list<Pod>(resources.pods, 'redis')
      .filter(isMissing)
      .map(({ metadata }) => metadata.name)
      .toSorted();
  return {
    leaves: [{ secret: tlsSecretName(scope.platform), component: 'redis', dnsNames: dnsNames(scope.platform) }],
    namesBundle: true,
    distrusting: () => lacking((pod) => bundle === undefined || trustedBy(scope, pod) !== bundle),
    unserved: (leaf) => lacking((pod) => tlsReadingOf(scope, pod)?.presented !== leaf),
  };
}

/** The bundle that it has read: a Sentinel read what was there when its pod was made. */
function trustedBy(scope: Scope, pod: Pod): string | undefined {
  if (partOf(pod) === 'sentinel') return pod.metadata.annotations?.[BUNDLE_ANNOTATION];
  const file = tlsReadingOf(scope, pod)?.files?.bundle;
  return file === undefined ? undefined : basename(file);
}
