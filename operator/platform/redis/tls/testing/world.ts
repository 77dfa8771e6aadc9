import type { Pod, Secret } from '../../../../kube/resources.ts';
import type { KubeObject } from '../../../../kube/types.ts';
import type { KeyPair } from '../../../certificates/authority.ts';
import { issueAuthority, issueLeaf } from '../../../certificates/issue.ts';
import { encodeSecret } from '../../../core/secrets.ts';
import { cached, now, scopeOf } from '../../../core/testing/scope.ts';
import { platform } from '../../testing/fixtures.ts';
import { dnsNames } from '../names.ts';
import type { TlsReading } from '../reading.ts';
import { tlsProbeName } from '../wanted.ts';

export const authority = await issueAuthority('acme.support', now);
export const nextAuthority = await issueAuthority('acme.support', now);
export const leaf = await issueLeaf(authority, dnsNames(platform), now);

export const leafSecret = cached<Secret>(
  { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'acme-redis-tls' } } as Secret,
  'redis',
  { data: encodeSecret({ 'tls.crt': leaf.certificate.pem, 'tls.key': leaf.key, 'ca.crt': authority.certificate.pem }) },
);

/** The authority's Secret, with the next one while it is replaced. */
export function authoritySecret(next?: KeyPair): Secret {
  const data = {
    'tls.crt': authority.certificate.pem,
    'tls.key': authority.key,
    ...(next === undefined ? {} : { 'next.crt': next.certificate.pem, 'next.key': next.key }),
  };
  return cached<Secret>({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'acme-ca' } } as Secret, 'certificates', {
    data: encodeSecret(data),
  });
}

export function redisPod(name: string, metadata: Partial<Pod['metadata']> = {}): Pod {
  const labels = { 'isp.support/component': 'redis', ...metadata.labels };
  return cached<Pod>({ apiVersion: 'v1', kind: 'Pod', metadata: { name } }, 'redis', {
    metadata: { ...metadata, labels },
    status: { podIP: `10.0.0.${name.at(-1)}` },
  });
}

/** A platform with TLS, its pods, and what these said last. */
export function scopeWith(
  objects: readonly KubeObject[],
  readings: Readonly<Record<string, Omit<TlsReading, 'kind'>>> = {},
  spec: Readonly<Record<string, unknown>> = {},
) {
  const probes = Object.entries(readings).map(([name, reading]) => [
    tlsProbeName(name),
    { uid: `uid-${name}`, host: `10.0.0.${name.at(-1)}`, answer: { kind: 'view', ...reading } },
  ]);
  return scopeOf({
    spec: { redis: { ...spec, tls: { enabled: true } } },
    objects,
    probes: Object.fromEntries(probes),
  });
}
