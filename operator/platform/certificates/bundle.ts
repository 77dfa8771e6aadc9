import { resources, type Secret } from '../../kube/resources.ts';
import type { Scope } from '../core/component.ts';
import { shortHash } from '../core/hash.ts';
import { namespaceOf } from '../core/names.ts';
import { secretValue } from '../core/secrets.ts';
import { type Authority, readAuthority, trusted } from './authority.ts';
import { authoritySecretName, leafKeys } from './names.ts';

/** Everyone that clients are to trust, as they read it. */
export function bundleOf(authority: Authority): string {
  return trusted(authority)
    .map(({ pem }) => pem)
    .join('');
}

/** A name for a bundle, the same for the same content. */
export function bundleFile(bundle: string): string {
  return `ca-${shortHash(bundle)}.crt`;
}

/** What clients are to trust now; undefined without an authority that can be read. */
export function currentBundle({ children, platform }: Scope): string | undefined {
  const ref = { resource: resources.secrets, namespace: namespaceOf(platform), name: authoritySecretName(platform) };
  const secret = children.get<Secret>(ref);
  return secret === undefined ? undefined : readBundleOf(secret);
}

/** By the cached object, which is another one as soon as it differs: every target of every probe asks, and reading certificates takes its time. */
const bundles = new WeakMap<Secret, string | undefined>();

function readBundleOf(secret: Secret): string | undefined {
  if (bundles.has(secret)) return bundles.get(secret);
  const authority = readAuthority(secret);
  const bundle = authority === undefined ? undefined : bundleOf(authority);
  bundles.set(secret, bundle);
  return bundle;
}

/**
 * What the operator itself verifies servers with: without an authority that can be read, those that were trusted when the certificate in
 * use was issued.
 *
 * @param leaf Secret of that certificate
 */
export function trustedBundle(scope: Scope, leaf: string): string {
  return currentBundle(scope) ?? secretValue(scope, leaf, leafKeys.authorities) ?? '';
}
