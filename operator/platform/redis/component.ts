import { type Pod, resources } from '../../kube/resources.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Component, ProbeDefinition, Scope } from '../core/component.ts';
import { shortHash } from '../core/hash.ts';
import { carryOut } from './act.ts';
import { isRedisAction } from './actions.ts';
import { withPrimariesApart } from './apart/plan.ts';
import { type OpenRedis, opener, openWithAny, type RedisClient, type RedisTrust } from './client.ts';
import { liveSettings } from './config.ts';
import { decide } from './decide.ts';
import { seenBySentinels, seenInCluster } from './failover/seen.ts';
import { lastPrimaries, withFailover } from './failover/status.ts';
import { withGrowth } from './growth.ts';
import { HandOvers } from './hand-overs.ts';
import { isSentinel } from './mode.ts';
import { REDIS_PORT } from './names.ts';
import { observe, probeName } from './observe.ts';
import { carryOut as carryOutPassword } from './password/act.ts';
import { isPasswordAction } from './password/actions.ts';
import { isRotating, passwordProbeName, passwordRotationOf } from './password/facts.ts';
import { askPasswords } from './password/reading.ts';
import { passwordsOf } from './password/secrets.ts';
import { withRotation } from './password/status.ts';
import { askNode } from './probe.ts';
import { carryOut as carryOutSentinel } from './sentinel/act.ts';
import { isSentinelAction } from './sentinel/actions.ts';
import { liveServerSettings } from './sentinel/config.ts';
import { decide as decideSentinel } from './sentinel/decide.ts';
import { partOf, SENTINEL_PORT } from './sentinel/names.ts';
import { observe as observeSentinel } from './sentinel/observe.ts';
import { askSentinel, askServer } from './sentinel/views.ts';
import { carryOut as carryOutLoad, isTlsAction, withCertificates } from './tls/loads.ts';
import { askTls } from './tls/reading.ts';
import { tlsProbeName, trustOf } from './tls/wanted.ts';

const ATTEMPT_TIMEOUT_MS = 1000;
const TLS_INTERVAL_MS = 10_000;
const handOvers = new HandOvers(systemClock);

export const redisComponent: Component = {
  name: 'redis',
  dependsOn: ['credentials', 'certificates'],
  probes,
  plan(scope, blocked) {
    const blockedBy = scope.effective.redis.tls.enabled
      ? blocked
      : blocked.filter(({ component }) => component !== 'certificates');
    const { platform } = scope;
    const last = lastPrimaries(scope);
    const rotation = passwordRotationOf(scope);
    if (isSentinel(scope)) {
      const observed = observeSentinel(scope);
      const plan = decideSentinel(platform, observed, blockedBy);
      const seen = seenBySentinels(observed, last, plan);
      return withCertificates(
        scope,
        withRotation(scope, withFailover(scope, withGrowth(scope, plan, blockedBy), seen), rotation),
      );
    }
    const observed = observe(scope);
    const plan = decide(platform, observed, blockedBy);
    const seen = seenInCluster(observed, last, plan);
    const whole = withRotation(scope, withFailover(scope, withGrowth(scope, plan, blockedBy), seen), rotation);
    return withPrimariesApart(scope, observed, withCertificates(scope, whole));
  },
  async act(action, { scope, signal }) {
    const isKnown =
      isRedisAction(action) || isSentinelAction(action) || isPasswordAction(action) || isTlsAction(action);
    if (!isKnown) throw new TypeError(`not an action of Redis: ${action.type}`);
    const [password, ...others] = passwordsOf(scope);
    if (password === undefined) throw new Error('the Secret with the password of Redis is gone');
    const tools = { open: openWithAny(opener(trustOf(scope)), others), password, clock: systemClock, handOvers };
    if (isTlsAction(action)) await carryOutLoad(action, tools, signal);
    else if (isPasswordAction(action)) await carryOutPassword(action, tools, signal);
    else if (isSentinelAction(action)) await carryOutSentinel(action, tools, signal);
    else await carryOut(action, tools, signal);
  },
};

/** Every pod that has an address is asked by itself, each over a connection of its own that stays open. */
function probes(scope: Scope): ProbeDefinition<unknown>[] {
  const passwords = passwordsOf(scope);
  if (passwords.length === 0) return [];
  const trust = trustOf(scope);
  const means = shortHash(trust === undefined ? passwords : [...passwords, trust.ca]);
  const intervalMs = scope.effective.failover.probeIntervalSeconds * 1000;
  const attempts = scope.effective.failover.failureThreshold;
  const { redis } = scope.effective;
  const asks = {
    node: Object.keys(liveSettings(redis)),
    server: Object.keys(liveServerSettings(redis)),
  };
  const options = { passwords, means, intervalMs, attempts, trust };
  return scope.children.list<Pod>(resources.pods, 'redis').flatMap((pod) => podProbes(scope, pod, options, asks));
}

/** What the questions are about: settings that are changed while a server runs. */
interface Asks {
  readonly node: readonly string[];
  readonly server: readonly string[];
}

/** No closure here has the scope, which would live as long as the probe, with the whole platform. */
function podProbes(scope: Scope, pod: Pod, options: ProbeOptions, asks: Asks): ProbeDefinition<unknown>[] {
  const { name, uid } = pod.metadata;
  const host = pod.status?.podIP;
  if (uid === undefined || host === undefined) return [];
  const part = partOf(pod);
  const asked = { name: probeName(name), uid, host, port: part === 'sentinel' ? SENTINEL_PORT : REDIS_PORT };
  const own: ProbeDefinition<unknown> =
    part === 'server'
      ? probe(asked, options, (client, limit) => askServer(client, asks.server, limit))
      : part === 'sentinel'
        ? probe(asked, options, askSentinel)
        : probe(asked, options, (client, limit) => askNode(client, asks.node, limit));
  const probes = [own];
  if (options.trust !== undefined) {
    const named = { ...asked, name: tlsProbeName(name) };
    const slower = { ...options, intervalMs: TLS_INTERVAL_MS };
    probes.push(probe(named, slower, (client, limit) => askTls(client, part ?? 'server', named, limit)));
  }
  if (isRotating(scope)) {
    const named = { ...asked, name: passwordProbeName(name) };
    probes.push(probe(named, options, (client, limit) => askPasswords(client, part ?? 'server', limit)));
  }
  return probes;
}

interface ProbeOptions {
  /** Any of which may be taken, the first most likely. */
  readonly passwords: readonly string[];
  /** Changes with the passwords. */
  readonly means: string;
  readonly intervalMs: number;
  /** After so many without an answer, one after the other, a server counts as silent. */
  readonly attempts: number;
  readonly trust: RedisTrust | undefined;
}

interface Asked {
  /** The probe's. */
  readonly name: string;
  readonly uid: string;
  readonly host: string;
  readonly port: number;
}

type Ask<A> = (client: RedisClient, limit: AbortSignal) => Promise<A>;

function probe<A extends { readonly kind: string }>(
  { name, uid, host, port }: Asked,
  options: ProbeOptions,
  ask: Ask<A>,
): ProbeDefinition<{ readonly answer: A }> {
  const [password = '', ...others] = options.passwords;
  const open: OpenRedis = openWithAny(opener(options.trust), others);
  let client: RedisClient | undefined;
  let onLost = () => {};
  return {
    name,
    component: 'redis',
    intervalMs: options.intervalMs,
    timeoutMs: ATTEMPT_TIMEOUT_MS * (options.attempts + 1),
    target: `${host}:${port} ${uid}`,
    means: options.means,
    async run(signal) {
      client ??= open({ host, port }, password, () => onLost());
      const answer = await askPatiently(client, options.attempts, ask, signal);
      return { uid, host, answer };
    },
    // A process that dies is noticed by its connection at once.
    wakeBy: (wake) => {
      onLost = wake;
    },
    successful: ({ answer }) => answer.kind === 'view',
    close: () => client?.close(),
  };
}

async function askPatiently<A extends { readonly kind: string }>(
  client: RedisClient,
  attempts: number,
  ask: Ask<A>,
  signal: AbortSignal,
): Promise<A> {
  for (let attempt = 1; ; attempt++) {
    const answer = await ask(client, AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)]));
    if (!wantsAnother(answer) || signal.aborted || attempt >= attempts) return answer;
  }
}

/** Of a connection that broke nothing is known until the next one has been tried. */
function wantsAnother(answer: { readonly kind: string; readonly problem?: string }): boolean {
  return answer.kind === 'problem' && (answer.problem === 'timeout' || answer.problem === 'broken');
}
