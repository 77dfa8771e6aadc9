import { type ConfigMap, resources } from '../../kube/resources.ts';
import { bundleName, certificateAnnotations } from '../certificates/names.ts';
import type { Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import { DATABASE_LOGIN } from '../postgres/login.ts';
import { loginAnnotation } from '../postgres/tls/facts.ts';
import { BROKER_LOGIN, brokerLoginAnnotation } from '../rabbitmq/tls/facts.ts';
import { REDIS_LOGIN, redisLoginAnnotation } from '../redis/password/secrets.ts';

/** What a pod of the application has for its way into Postgres, Redis and RabbitMQ, beside the Secret that it reads. */
export interface DatabaseAccess {
  /** Change with what the pod has to be replaced for. */
  readonly annotations: Readonly<Record<string, string>>;
  /** ConfigMap of the bundle to verify servers with; undefined without TLS. */
  readonly bundle?: string;
}

export function databaseAccess(scope: Scope): DatabaseAccess {
  const { children, platform } = scope;
  const login = loginAnnotation(scope);
  const ref = { resource: resources.configMaps, namespace: namespaceOf(platform), name: bundleName(platform) };
  const authority = children.get<ConfigMap>(ref)?.metadata.annotations?.[certificateAnnotations.newestAuthority];
  const redisLogin = redisLoginAnnotation(scope);
  const brokerLogin = brokerLoginAnnotation(scope);
  const annotations = {
    ...(login === undefined ? {} : { [DATABASE_LOGIN]: login }),
    ...(redisLogin === undefined ? {} : { [REDIS_LOGIN]: redisLogin }),
    ...(brokerLogin === undefined ? {} : { [BROKER_LOGIN]: brokerLogin }),
  };
  // What once had the bundle keeps it: it would be replaced for nothing.
  if (authority === undefined) return { annotations };
  return {
    annotations: { ...annotations, [certificateAnnotations.newestAuthority]: authority },
    bundle: bundleName(platform),
  };
}
