import type { KubeClient } from '../../../operator/kube/client.ts';
import { type ConfigMap, resources, type Secret } from '../../../operator/kube/resources.ts';
import type { QueuesReading } from '../../../operator/platform/application/workers/queues.ts';
import { readBundle } from '../../../operator/platform/certificates/certificate.ts';
import { readLeaf } from '../../../operator/platform/certificates/leaf.ts';
import { BUNDLE_KEY, bundleName } from '../../../operator/platform/certificates/names.ts';
import { components } from '../../../operator/platform/components.ts';
import type { Action, Component, ProbeDefinition, Scope } from '../../../operator/platform/core/component.ts';
import { shortHash } from '../../../operator/platform/core/hash.ts';
import { namespaceOf } from '../../../operator/platform/core/names.ts';
import { poolerConfigName } from '../../../operator/platform/pooler/names.ts';
import type { PoolerView } from '../../../operator/platform/pooler/reading.ts';
import { poolerTlsSecretName } from '../../../operator/platform/pooler/tls/names.ts';
import type { PoolerTlsReading } from '../../../operator/platform/pooler/tls/reading.ts';
import type { RevokeLogin } from '../../../operator/platform/postgres/actions.ts';
import { type AppLogin, appLogin, nextLogin } from '../../../operator/platform/postgres/login.ts';
import type { LoginsReading } from '../../../operator/platform/postgres/logins-probe.ts';
import { patroniStateNames } from '../../../operator/platform/postgres/names.ts';
import type { ParameterFacts } from '../../../operator/platform/postgres/parameter-facts.ts';
import { NEXT_LOGIN_PROBE } from '../../../operator/platform/postgres/password-facts.ts';
import type { Answer, MemberReading } from '../../../operator/platform/postgres/reading.ts';
import { tlsSecretName } from '../../../operator/platform/postgres/tls/names.ts';
import type { TlsReading } from '../../../operator/platform/postgres/tls/reading.ts';
import type { Kept } from '../../../operator/platform/rabbitmq/found-definitions.ts';
import { credentialsOf } from '../../../operator/platform/rabbitmq/observe.ts';
import { tlsSecretName as rabbitmqTlsSecretName } from '../../../operator/platform/rabbitmq/tls/names.ts';
import {
  type TlsReading as RabbitmqTlsReading,
  tlsProbeName as rabbitmqTlsProbeName,
} from '../../../operator/platform/rabbitmq/tls/reading.ts';
import { actOnBroker, answerOfBroker, type BrokerState } from './rabbitmq.ts';

/** What an engine keeps on its volume: it outlives every crash of the operator. */
interface EngineState {
  database: boolean;
  readonly broker: BrokerState;
  /** Roles that can log in, each with its password. */
  readonly logins: Map<string, string>;
}

/**
 * Plays the servers inside the pods, of which there are none: answers the components' probes and carries out their actions as a Postgres
 * with one member and a RabbitMQ with one node would. What the components ask and decide is their own code.
 */
export class Engines {
  readonly #client: KubeClient;
  readonly #probeIntervalMs: number | undefined;
  readonly #states = new Map<string, EngineState>();

  readonly #formed: boolean;

  /**
   * @param probeIntervalMs in place of the components' own, to be quicker
   * @param formed whether engines that are not known yet have been set up already
   */
  constructor(
    client: KubeClient,
    { probeIntervalMs, formed = false }: { probeIntervalMs?: number; formed?: boolean } = {},
  ) {
    this.#client = client;
    this.#probeIntervalMs = probeIntervalMs;
    this.#formed = formed;
  }

  /** The operator's components over these engines. */
  components(): readonly Component[] {
    return components.map((component) => ({
      ...component,
      probes: (scope) => component.probes(scope).map((probe) => this.#played(scope, probe)),
      act: async (action, context) =>
        component.name === 'certificates'
          ? await component.act?.(action, context)
          : await this.#act(action, context.scope, context.signal),
    }));
  }

  /** A volume is lost with its claim. */
  forget(namespace: string): void {
    this.#states.delete(namespace);
  }

  #state(scope: Scope): EngineState {
    const namespace = namespaceOf(scope.platform);
    const broker = { vhost: this.#formed, users: new Map() };
    const state = this.#states.get(namespace) ?? { database: this.#formed, broker, logins: new Map() };
    this.#states.set(namespace, state);
    return state;
  }

  #played(scope: Scope, probe: ProbeDefinition<unknown>): ProbeDefinition<unknown> {
    const state = this.#state(scope);
    const intervalMs = this.#probeIntervalMs ?? probe.intervalMs;
    if (probe.name.startsWith('postgres/tls/'))
      return { ...probe, intervalMs, run: async () => await this.#tls(scope) };
    if (probe.name.startsWith('pooler-tls/'))
      return { ...probe, intervalMs, run: async () => await this.#poolerTls(scope) };
    if (probe.name.startsWith(rabbitmqTlsProbeName('')))
      return { ...probe, intervalMs, run: async () => await this.#rabbitmqTls(scope, probe.target) };
    if (probe.name === NEXT_LOGIN_PROBE)
      return { ...probe, intervalMs, run: async () => tried(state, nextLogin(scope)) };
    return answered(probe, intervalMs, state, credentialsOf(scope));
  }

  async #act(action: Action, scope: Scope, signal: AbortSignal): Promise<void> {
    switch (action.type) {
      case 'postgres.ensure-database':
        this.#state(scope).database = true;
        give(this.#state(scope), appLogin(scope));
        return;
      case 'postgres.prepare-login':
        give(this.#state(scope), nextLogin(scope));
        return;
      case 'postgres.revoke-login':
        this.#state(scope).logins.delete((action as RevokeLogin).username);
        return;
      case 'postgres.configure':
        await this.#configure(scope, (action as Action & { patch: Record<string, unknown> }).patch, signal);
        return;
      case 'pooler.renew':
      case 'pooler.reload':
        return;
      default:
        actOnBroker(action, this.#state(scope).broker, credentialsOf(scope)?.other);
    }
  }

  /** A member that serves with what it was given last. */
  async #tls({ platform }: Scope): Promise<Answer<TlsReading>> {
    const namespace = namespaceOf(platform);
    const leaf = { resource: resources.secrets, namespace, name: tlsSecretName(platform) };
    const bundle = { resource: resources.configMaps, namespace, name: bundleName(platform) };
    const served = readLeaf(await this.#client.get<Secret>(leaf))?.id ?? '';
    const mounted = (await this.#client.get<ConfigMap>(bundle))?.data?.[BUNDLE_KEY] ?? '';
    return {
      ok: true,
      value: {
        presented: served,
        mounted: served,
        trusted: readBundle(mounted).map(({ id }) => id),
        fileVerifies: true,
        verifies: false,
        inRecovery: false,
        plainClients: [],
      },
    };
  }

  /** A pooler that runs with what it was given last. */
  async #poolerTls({ platform }: Scope): Promise<Answer<PoolerTlsReading>> {
    const namespace = namespaceOf(platform);
    const leaf = { resource: resources.secrets, namespace, name: poolerTlsSecretName(platform) };
    const settings = { resource: resources.configMaps, namespace, name: poolerConfigName(platform) };
    const file = (await this.#client.get<ConfigMap>(settings))?.data?.['writes-tls.ini'] ?? '';
    return {
      ok: true,
      value: {
        presented: readLeaf(await this.#client.get<Secret>(leaf))?.id ?? '',
        bundle: /ca-[0-9a-f]+\.crt/.exec(file)?.[0] ?? '',
        demands: file.includes('client_tls_sslmode = require'),
        plainClients: [],
      },
    };
  }

  /** A node that shows what it was given last. */
  async #rabbitmqTls({ platform }: Scope, target: string): Promise<RabbitmqTlsReading> {
    const [uid = '', host = ''] = target.split(' ');
    const ref = {
      resource: resources.secrets,
      namespace: namespaceOf(platform),
      name: rabbitmqTlsSecretName(platform),
    };
    const presented = readLeaf(await this.#client.get<Secret>(ref))?.id;
    return { uid, host, ...(presented === undefined ? {} : { presented }) };
  }

  /** As Patroni: merges what it is sent into the configuration that it keeps in its ConfigMap. */
  async #configure({ platform }: Scope, patch: Record<string, unknown>, signal: AbortSignal): Promise<void> {
    const name = patroniStateNames(platform).config;
    const ref = { resource: resources.configMaps, namespace: namespaceOf(platform), name };
    const before = (await this.#client.get<ConfigMap>(ref, signal))?.metadata.annotations?.['config'];
    const config = JSON.stringify(merged(before === undefined ? {} : JSON.parse(before), patch));
    if (config === before) return;
    await this.#client.patch(ref, { type: 'merge', body: { metadata: { annotations: { config } } } }, signal);
  }
}

/** By itself, so that it does not keep the scope of the two that need one. */
function answered(
  probe: ProbeDefinition<unknown>,
  intervalMs: number,
  state: EngineState,
  kept: Kept | undefined,
): ProbeDefinition<unknown> {
  return { ...probe, intervalMs, run: async () => answerTo(probe, state, kept) };
}

function answerTo(probe: ProbeDefinition<unknown>, state: EngineState, kept: Kept | undefined): unknown {
  const [engine = '', ...rest] = probe.name.split('/');
  const what = rest.join('/');
  switch (engine) {
    case 'postgres':
      if (what.startsWith('logins/')) return { ok: true, value: loginsOf(state) };
      if (what === 'login') return { ok: true, value: true };
      if (what === 'commit') return { answer: { ok: true, value: true }, failures: 0 };
      if (what.startsWith('log/')) return { ok: true, value: { oldest: 1, isStill: false } };
      if (what.startsWith('disk/')) return { isCurrent: true, space: { size: 2 ** 40, available: 2 ** 39 } };
      return what === 'parameters' ? anything(probe.target) : member(state);
    case 'pooler':
      return {
        console: { ok: true, value: IDLE_POOLER },
        server: { ok: true, value: { inRecovery: false } },
        failures: 0,
      };
    case 'rabbitmq':
      return answerOfBroker(probe, state.broker, kept);
    case 'worker':
      return { readable: true, queues: {}, inHandOf: {} } satisfies QueuesReading;
    default:
      throw new TypeError(`nothing answers probe ${probe.name}`);
  }
}

const IDLE_POOLER: PoolerView = {
  clientsActive: 0,
  clientsWaiting: 0,
  longestWaitSeconds: 0,
  serversActive: 0,
  serversIdle: 0,
  paused: false,
};

function give({ logins }: EngineState, login: AppLogin | undefined): void {
  if (login !== undefined) logins.set(login.username, login.password);
}

function tried({ logins }: EngineState, login: AppLogin | undefined): Answer<true> {
  if (login !== undefined && logins.get(login.username) === login.password) return { ok: true, value: true };
  return { ok: false, problem: 'AuthFailed', detail: '28P01' };
}

/** Nobody has a session. */
function loginsOf({ logins }: EngineState): LoginsReading {
  return [...logins].map(([name, password]) => ({
    name,
    password: shortHash(password),
    quietSince: '2020-01-01T00:00:00Z',
  }));
}

/** A Postgres that knows every parameter and takes every value. */
function anything(target: string): Answer<ParameterFacts> {
  const names = Object.keys(JSON.parse(target.slice(target.indexOf('{'))) as object);
  const fact = { context: 'sighup', vartype: 'string', unit: null, min: null, max: null, values: null };
  const known = names.map((name) => ({ ...fact, name }));
  return { ok: true, value: { known, refused: [], missingLibraries: [] } };
}

function member({ database }: EngineState): MemberReading {
  return {
    patroni: {
      ok: true,
      value: { state: 'running', role: 'primary', timeline: 1, pendingRestart: false, paused: false },
    },
    sql: {
      ok: true,
      value: { inRecovery: false, held: false, roleExists: database, databaseExists: database, standbys: [] },
    },
    failures: 0,
  };
}

/** RFC 7396. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = typeof target === 'object' && target !== null ? { ...target } : {};
  for (const [key, value] of Object.entries(patch))
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  return result;
}
