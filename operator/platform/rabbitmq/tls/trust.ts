import type { Pod } from '../../../kube/resources.ts';
import { trustedBundle } from '../../certificates/bundle.ts';
import type { Scope } from '../../core/component.ts';
import { nodeHost } from '../names.ts';
import { listeningOf, tlsSecretName } from './names.ts';

/** How the operator verifies a node, whatever its address. */
export interface NodeTrust {
  /** Certificates of authorities (PEM). */
  readonly ca: string;
  /** The name that is to be in the node's certificate. */
  readonly servername: string;
}

/** Undefined for a pod that has no TLS. */
export function trustOf(scope: Scope, { metadata }: Pod): NodeTrust | undefined {
  if (listeningOf(metadata) === 'plain') return undefined;
  const { platform } = scope;
  return { ca: trustedBundle(scope, tlsSecretName(platform)), servername: nodeHost(platform, metadata.name) };
}
