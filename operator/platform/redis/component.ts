import { type Pod, resources } from '../../kube/resources.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Component, ProbeDefinition, Scope } from '../core/component.ts';
import { carryOut } from './act.ts';
import { isRedisAction } from './actions.ts';
import { openRedis, type RedisClient } from './client.ts';
import { liveSettings } from './config.ts';
import { decide } from './decide.ts';
import { REDIS_PORT } from './names.ts';
import { observe, type PodAnswer, passwordOf, probeName } from './observe.ts';
import { askNode, type NodeAnswer } from './probe.ts';

const ATTEMPT_TIMEOUT_MS = 1000;

export const redisComponent: Component = {
  name: 'redis',
  dependsOn: ['credentials'],
  probes,
  plan: (scope, blockedBy) => decide(scope.platform, observe(scope), blockedBy),
  async act(action, { scope, signal }) {
    if (!isRedisAction(action)) throw new TypeError(`not an action of Redis: ${action.type}`);
    const password = passwordOf(scope);
    if (password === undefined) throw new Error('the Secret with the password of Redis is gone');
    await carryOut(action, { open: openRedis, password, clock: systemClock }, signal);
  },
};

/** Every pod that has an address is asked by itself, each over a connection of its own that stays open. */
function probes(scope: Scope): ProbeDefinition<unknown>[] {
  const password = passwordOf(scope);
  if (password === undefined) return [];
  const intervalMs = scope.effective.failover.probeIntervalSeconds * 1000;
  const attempts = scope.effective.failover.failureThreshold;
  const settings = Object.keys(liveSettings(scope.effective.redis));
  return scope.children.list<Pod>(resources.pods, 'redis').flatMap((pod) => {
    const { name, uid } = pod.metadata;
    const host = pod.status?.podIP;
    if (uid === undefined || host === undefined) return [];
    return [probe({ name, uid, host }, { password, settings, intervalMs, attempts })];
  });
}

interface ProbeOptions {
  readonly password: string;
  readonly settings: readonly string[];
  readonly intervalMs: number;
  /** After so many without an answer, one after the other, a server counts as silent. */
  readonly attempts: number;
}

function probe(pod: { name: string; uid: string; host: string }, options: ProbeOptions): ProbeDefinition<PodAnswer> {
  let client: RedisClient | undefined;
  let onLost = () => {};
  return {
    name: probeName(pod.name),
    component: 'redis',
    intervalMs: options.intervalMs,
    timeoutMs: ATTEMPT_TIMEOUT_MS * (options.attempts + 1),
    target: `${pod.host}:${REDIS_PORT} ${pod.uid}`,
    async run(signal) {
      client ??= openRedis({ host: pod.host, port: REDIS_PORT }, options.password, () => onLost());
      return { uid: pod.uid, host: pod.host, answer: await askPatiently(client, options, signal) };
    },
    // A process that dies is noticed by its connection at once.
    wakeBy: (wake) => {
      onLost = wake;
    },
    successful: ({ answer }) => answer.kind === 'view',
    close: () => client?.close(),
  };
}

async function askPatiently(client: RedisClient, options: ProbeOptions, signal: AbortSignal): Promise<NodeAnswer> {
  for (let attempt = 1; ; attempt++) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)]);
    const answer = await askNode(client, options.settings, limit);
    // Of a connection that broke nothing is known until the next one has been tried.
    const wantsAnother = answer.kind === 'problem' && (answer.problem === 'timeout' || answer.problem === 'broken');
    if (!wantsAnother || signal.aborted || attempt >= options.attempts) return answer;
  }
}
