import { type Pod, resources, type Secret } from '../../../kube/resources.ts';
import { bundleFile, currentBundle, trustedBundle } from '../../certificates/bundle.ts';
import { readLeaf } from '../../certificates/leaf.ts';
import type { Scope } from '../../core/component.ts';
import { namespaceOf } from '../../core/names.ts';
import type { RedisTrust } from '../client.ts';
import type { Answer } from '../sentinel/views.ts';
import { tlsSecretName, verifiedHost } from './names.ts';
import type { TlsReading } from './reading.ts';

/** What every server and Sentinel is to serve with, and to trust. */
export interface WantedTls {
  /** The certificate, by its id. */
  readonly certificate: string;
  /** The file of the bundle, whose name tells its content. */
  readonly bundle: string;
}

/** Undefined without TLS, and while there is no certificate or no authority that can be read: then everything stays as it is. */
export function wantedTls(scope: Scope): WantedTls | undefined {
  if (!scope.effective.redis.tls.enabled) return undefined;
  const { children, platform } = scope;
  const name = tlsSecretName(platform);
  const leaf = readLeaf(children.get<Secret>({ resource: resources.secrets, namespace: namespaceOf(platform), name }));
  const bundle = currentBundle(scope);
  if (leaf === undefined || bundle === undefined) return undefined;
  return { certificate: leaf.id, bundle: bundleFile(bundle) };
}

/** What the operator itself asks servers with; undefined without TLS. */
export function trustOf(scope: Scope): RedisTrust | undefined {
  const { effective, platform } = scope;
  if (!effective.redis.tls.enabled) return undefined;
  return { ca: trustedBundle(scope, tlsSecretName(platform)), servername: verifiedHost(platform) };
}

export function tlsProbeName(pod: string): string {
  return `redis/tls/${pod}`;
}

/** What the probe of a pod found, with the pod that it asked. */
interface TlsAnswer {
  readonly uid: string;
  readonly host: string;
  readonly answer: Answer<TlsReading>;
}

/** What a pod said last; undefined when it has not been asked, or did not answer. */
export function tlsReadingOf({ probes }: Scope, { metadata, status }: Pod): TlsReading | undefined {
  const found = probes.get<TlsAnswer>(tlsProbeName(metadata.name))?.value;
  if (found === undefined || found.uid !== metadata.uid || found.host !== status?.podIP) return undefined;
  return found.answer.kind === 'view' ? found.answer : undefined;
}
