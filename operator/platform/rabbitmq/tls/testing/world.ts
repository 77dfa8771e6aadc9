import type { Pod, Secret, StatefulSet } from '../../../../kube/resources.ts';
import type { KubeObject } from '../../../../kube/types.ts';
import { issueAuthority, issueLeaf } from '../../../certificates/issue.ts';
import { encodeSecret } from '../../../core/secrets.ts';
import { cached, now, scopeOf } from '../../../core/testing/scope.ts';
import type { PlatformSpec } from '../../../schema/spec.ts';
import { nodeHost } from '../../names.ts';
import { platform } from '../../testing/fixtures.ts';
import { dnsNames, type Listening, tlsAnnotations } from '../names.ts';
import { tlsProbeName } from '../reading.ts';

export const authority = await issueAuthority('acme.support', now);
export const leaf = await issueLeaf(authority, dnsNames(platform), now);

export const WITH_TLS: PlatformSpec = { rabbitmq: { tls: { enabled: true } } };
export const ADDRESS = 'isp_support:pw@acme-rabbitmq.support.svc';

/** A Secret of the platform as the cache has it. */
export function secret(
  name: string,
  values: Readonly<Record<string, string>>,
  annotations: Record<string, string> = {},
): Secret {
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name } } as Secret;
  const metadata = { annotations, resourceVersion: '7' };
  return cached<Secret>(object, 'rabbitmq', { metadata, data: encodeSecret(values) });
}

export const leafSecret = secret('acme-rabbitmq-tls', {
  'tls.crt': leaf.certificate.pem,
  'tls.key': leaf.key,
  'ca.crt': authority.certificate.pem,
});
export const authoritySecret = secret('acme-ca', { 'tls.crt': authority.certificate.pem, 'tls.key': authority.key });
export const login = secret('acme-rabbitmq', {
  username: 'isp_support',
  password: 'pw',
  vhost: 'isp_support',
  uri: `amqp://${ADDRESS}:5672/isp_support`,
});

/** What the application has been told. */
export function told(scheme: 'amqp' | 'amqps', more: Readonly<Record<string, string>> = {}): Secret {
  const port = scheme === 'amqps' ? 5671 : 5672;
  return secret('acme-app', { CELERY_BROKER_URL: `${scheme}://${ADDRESS}:${port}/isp_support`, ...more });
}

export function set(listening: Listening): StatefulSet {
  const object = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'acme-rabbitmq' } } as StatefulSet;
  return cached<StatefulSet>(object, 'rabbitmq', {
    metadata: { annotations: tlsAnnotations(listening) },
    spec: { replicas: 3 },
  });
}

export function pod(ordinal: number, listening: Listening): Pod {
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: `acme-rabbitmq-${ordinal}` } } as Pod;
  return cached<Pod>(object, 'rabbitmq', {
    metadata: { annotations: tlsAnnotations(listening) },
    status: { podIP: `10.0.0.1${ordinal}`, conditions: [{ type: 'Ready', status: 'True' }] },
  });
}

/** How the operator asks that pod's node. */
export function trusted(ordinal: number) {
  const servername = nodeHost(platform, `acme-rabbitmq-${ordinal}`);
  return { host: `10.0.0.1${ordinal}`, trust: { ca: authority.certificate.pem, servername } };
}

/** A platform, its objects, and the certificates that its pods showed last. */
export function scopeWith(
  objects: readonly KubeObject[],
  { spec = WITH_TLS, shown = {} }: { spec?: PlatformSpec; shown?: Readonly<Record<number, string>> } = {},
) {
  const probes = Object.entries(shown).map(([ordinal, presented]) => {
    const name = `acme-rabbitmq-${ordinal}`;
    return [tlsProbeName(name), { uid: `uid-${name}`, host: `10.0.0.1${ordinal}`, presented }];
  });
  return scopeOf({ spec, objects, probes: Object.fromEntries(probes) });
}
