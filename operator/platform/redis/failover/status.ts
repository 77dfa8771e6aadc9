import type { ComponentPlan, EventPlan, Scope } from '../../core/component.ts';
import type { FailoverStatus } from '../../core/platform.ts';
import { failoverRecord, primariesNow, type SeenPrimaries } from './record.ts';
import { shardOfPod } from './seen.ts';

/** The last known primaries, by their pods. */
export function lastPrimaries({ platform }: Scope): readonly string[] {
  return platform.status?.redis?.primaries ?? [];
}

/** The plan of Redis with what it says of primaries that were lost. */
export function withFailover(scope: Scope, plan: ComponentPlan, seen: SeenPrimaries): ComponentPlan {
  const redis = plan.status?.redis;
  if (redis === undefined) return plan;
  const before = scope.platform.status?.redis?.lastFailover;
  const shardOf = (pod: string) => (redis.mode === 'cluster' ? shardOfPod(pod) : 0);
  const primaries = new Map(lastPrimaries(scope).map((pod) => [shardOf(pod), pod]));
  const record = failoverRecord({ primaries, last: before, shardOf }, seen, scope.now);
  const now = [...primariesNow(primaries, seen).values()];
  return {
    ...plan,
    status: {
      ...plan.status,
      redis: {
        ...redis,
        ...(now.length === 0 ? {} : { primaries: now }),
        ...(record === undefined ? {} : { lastFailover: record }),
      },
    },
    events: [...(plan.events ?? []), ...failoverEvents(before, record)],
  };
}

function failoverEvents(before: FailoverStatus | undefined, record: FailoverStatus | undefined): EventPlan[] {
  if (record === undefined || record === before) return [];
  const { from = 'unknown', to = 'unknown', reason, rtoSeconds = 0, outcome, message } = record;
  const earlier = before?.detectedAt === record.detectedAt ? before : undefined;
  const events: EventPlan[] = [];
  const say = (type: EventPlan['type'], what: string, note: string) =>
    events.push({ type, reason: what, action: 'Failover', note });
  if (earlier === undefined) say('Warning', 'RedisFailoverStarted', `${from} is lost (${reason})`);
  if (earlier?.outcome !== outcome && outcome === 'Succeeded')
    say('Normal', 'RedisFailoverSucceeded', `${to} took over from ${from} after ${rtoSeconds} s: ${message}`);
  if (earlier?.outcome !== outcome && outcome === 'Recovered')
    say('Normal', 'RedisFailoverRecovered', `${to} serves again after ${rtoSeconds} s`);
  if (record.redundantAt !== earlier?.redundantAt)
    say('Normal', 'RedisRedundancyRestored', 'every replica of Redis is in sync again');
  return events;
}
