import { type Pod, resources, type Secret } from '../../../kube/resources.ts';
import { certificateAnnotations } from '../../certificates/names.ts';
import type { ComponentName, Scope } from '../../core/component.ts';
import { childName, namespaceOf } from '../../core/names.ts';
import { secretValue } from '../../core/secrets.ts';
import { tlsPoolers } from '../../pooler/tls/facts.ts';
import { DATABASE_LOGIN } from '../login.ts';
import { memberPods, patroniConfig } from '../observe.ts';
import type { Answer } from '../reading.ts';
import { offersTls } from './names.ts';
import type { TlsFacts, TlsMember, TlsPhases } from './phases.ts';
import { tlsPhases } from './phases.ts';
import type { TlsReading } from './reading.ts';

/** The components whose pods read DATABASE_URL. */
const clients: readonly ComponentName[] = ['migrations', 'api', 'worker', 'beat'];

export function tlsProbeName(pod: Pod): string {
  return `postgres/tls/${pod.metadata.name}`;
}

/** What a member said of TLS last; undefined when it has not been asked, or did not answer. */
export function tlsReadingOf({ probes }: Scope, pod: Pod): TlsReading | undefined {
  const answer = probes.get<Answer<TlsReading>>(tlsProbeName(pod))?.value;
  return answer?.ok === true ? answer.value : undefined;
}

/** Where TLS stands and goes. */
export function tlsOf(scope: Scope): TlsPhases {
  return tlsPhases(tlsFacts(scope));
}

function tlsFacts(scope: Scope): TlsFacts {
  const { platform, effective } = scope;
  const pods = applicationPods(scope);
  const login = loginAnnotation(scope);
  return {
    wanted: effective.postgres.tls.enabled,
    members: memberPods(scope).map((pod) => memberOf(scope, pod)),
    poolers: tlsPoolers(scope),
    used: secretValue(scope, childName(platform, 'app'), 'DATABASE_URL')?.includes('sslmode=') ?? false,
    mounted: pods.every(({ metadata }) => metadata.annotations?.[certificateAnnotations.newestAuthority] !== undefined),
    current: pods.every(({ metadata }) => metadata.annotations?.[DATABASE_LOGIN] === login),
    demanded: demands(patroniConfig(scope)),
  };
}

function memberOf(scope: Scope, pod: Pod): TlsMember {
  const reading = tlsReadingOf(scope, pod);
  return {
    name: pod.metadata.name,
    offers: offersTls(pod),
    serves: reading !== undefined,
    verifies: reading?.verifies ?? false,
    plainClients: reading?.plainClients ?? [],
  };
}

/** The pods of the application that run or will. */
export function applicationPods({ children }: Scope): readonly Pod[] {
  return clients
    .flatMap((component) => children.list<Pod>(resources.pods, component))
    .filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
}

/** Which DATABASE_URL the application is to use; undefined while it never was another than the first. */
export function loginAnnotation({ children, platform }: Scope): string | undefined {
  const ref = { resource: resources.secrets, namespace: namespaceOf(platform), name: childName(platform, 'app') };
  return children.get<Secret>(ref)?.metadata.annotations?.[DATABASE_LOGIN];
}

function demands(config: unknown): boolean {
  const { postgresql } = (config ?? {}) as { postgresql?: { pg_hba?: unknown } };
  const rules = postgresql?.pg_hba;
  return Array.isArray(rules) && rules.some((rule) => String(rule).startsWith('hostssl'));
}
