import { resources, type Secret } from '../../kube/resources.ts';
import type { GuardedPatch, Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import { secretValue } from '../core/secrets.ts';
import { AMQP_PORT, rabbitmqName, secretKeys } from './names.ts';
import { tlsOf } from './tls/facts.ts';
import { AMQPS_PORT } from './tls/names.ts';

/**
 * The way to RabbitMQ as the application is told it; undefined without its Secret. How the nodes are verified is not in it: kombu, which is what Celery
 * connects with, takes that from an address for Redis alone, and refuses an address with anything else that it does not know.
 */
export function brokerUrl(scope: Scope): string | undefined {
  const uri = secretValue(scope, rabbitmqName(scope.platform), secretKeys.uri);
  return uri === undefined ? undefined : addressOf(uri, tlsOf(scope).use);
}

/** Keeps `uri` in the nodes' Secret true, for clients of a person's own. */
export function uriPatches(scope: Scope): readonly GuardedPatch[] {
  const { children, platform } = scope;
  const ref = { resource: resources.secrets, namespace: namespaceOf(platform), name: rabbitmqName(platform) };
  const resourceVersion = children.get<Secret>(ref)?.metadata.resourceVersion;
  const url = brokerUrl(scope);
  if (resourceVersion === undefined || url === undefined || url === secretValue(scope, ref.name, secretKeys.uri))
    return [];
  const value = Buffer.from(url).toString('base64');
  return [{ ref, guard: { resourceVersion }, operations: [{ op: 'replace', path: `/data/${secretKeys.uri}`, value }] }];
}

function addressOf(uri: string, withTls: boolean): string {
  const protocol = withTls ? 'amqps:' : 'amqp:';
  if (uri.startsWith(protocol)) return uri;
  const url = new URL(uri);
  url.protocol = protocol;
  url.port = String(withTls ? AMQPS_PORT : AMQP_PORT);
  return url.href;
}
