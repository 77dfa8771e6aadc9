import { type Pod, resources, type StatefulSet } from '../../kube/resources.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Component, ProbeDefinition, Scope } from '../core/component.ts';
import { carryOut } from './act.ts';
import { isRedisAction } from './actions.ts';
import { openRedis, type RedisClient } from './client.ts';
import { liveSettings } from './config.ts';
import { decide } from './decide.ts';
import { REDIS_PORT } from './names.ts';
import { observe, passwordOf, probeName } from './observe.ts';
import { askNode } from './probe.ts';
import { carryOut as carryOutSentinel } from './sentinel/act.ts';
import { isSentinelAction } from './sentinel/actions.ts';
import { liveServerSettings } from './sentinel/config.ts';
import { decide as decideSentinel } from './sentinel/decide.ts';
import { partOf, SENTINEL_PORT } from './sentinel/names.ts';
import { isLive, observe as observeSentinel } from './sentinel/observe.ts';
import { askSentinel, askServer } from './sentinel/views.ts';

const ATTEMPT_TIMEOUT_MS = 1000;

export const redisComponent: Component = {
  name: 'redis',
  dependsOn: ['credentials'],
  probes,
  plan(scope, blockedBy) {
    const { platform } = scope;
    if (isSentinel(scope)) return decideSentinel(platform, observeSentinel(scope), blockedBy);
    return decide(platform, observe(scope), blockedBy);
  },
  async act(action, { scope, signal }) {
    const isKnown = isRedisAction(action) || isSentinelAction(action);
    if (!isKnown) throw new TypeError(`not an action of Redis: ${action.type}`);
    const password = passwordOf(scope);
    if (password === undefined) throw new Error('the Secret with the password of Redis is gone');
    const tools = { open: openRedis, password, clock: systemClock };
    if (isSentinelAction(action)) await carryOutSentinel(action, tools, signal);
    else await carryOut(action, tools, signal);
  },
};

/** What was made in one mode stays in it; what is new is made in the mode that is wanted. */
function isSentinel(scope: Scope): boolean {
  if (isLive(scope)) return true;
  const isCluster = scope.children.list<StatefulSet>(resources.statefulSets, 'redis').length > 0;
  return scope.effective.redis.mode === 'sentinel' && !isCluster;
}

/** Every pod that has an address is asked by itself, each over a connection of its own that stays open. */
function probes(scope: Scope): ProbeDefinition<unknown>[] {
  const password = passwordOf(scope);
  if (password === undefined) return [];
  const intervalMs = scope.effective.failover.probeIntervalSeconds * 1000;
  const attempts = scope.effective.failover.failureThreshold;
  const { redis } = scope.effective;
  const asks = {
    node: Object.keys(liveSettings(redis)),
    server: Object.keys(liveServerSettings(redis)),
  };
  return scope.children.list<Pod>(resources.pods, 'redis').flatMap((pod): ProbeDefinition<unknown>[] => {
    const { name, uid } = pod.metadata;
    const host = pod.status?.podIP;
    if (uid === undefined || host === undefined) return [];
    const options = { password, intervalMs, attempts };
    const part = partOf(pod);
    if (part === 'server')
      return [probe({ name, uid, host, port: REDIS_PORT }, options, (c, limit) => askServer(c, asks.server, limit))];
    if (part === 'sentinel') return [probe({ name, uid, host, port: SENTINEL_PORT }, options, askSentinel)];
    return [probe({ name, uid, host, port: REDIS_PORT }, options, (c, limit) => askNode(c, asks.node, limit))];
  });
}

interface ProbeOptions {
  readonly password: string;
  readonly intervalMs: number;
  /** After so many without an answer, one after the other, a server counts as silent. */
  readonly attempts: number;
}

interface Asked {
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
  let client: RedisClient | undefined;
  let onLost = () => {};
  return {
    name: probeName(name),
    component: 'redis',
    intervalMs: options.intervalMs,
    timeoutMs: ATTEMPT_TIMEOUT_MS * (options.attempts + 1),
    target: `${host}:${port} ${uid}`,
    async run(signal) {
      client ??= openRedis({ host, port }, options.password, () => onLost());
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
