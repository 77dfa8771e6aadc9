import type { Pod } from '../../kube/resources.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import type { ProbeDefinition, Scope } from '../core/component.ts';
import { loginProbes, tlsProbes } from './access-probes.ts';
import { DiskProbe, type DiskReading, hasDiskChanged } from './disk-space.ts';
import { greetingProbes } from './greeting-probes.ts';
import { leadership } from './leadership.ts';
import { hasLogChanged, type LogPosition, LogProbe } from './log-position.ts';
import { MemberProbe } from './member-probe.ts';
import {
  CANARY_PROBE,
  diskProbeName,
  logProbeName,
  memberPods,
  memberProbeName,
  observe,
  PARAMETERS_PROBE,
} from './observe.ts';
import { type ParameterFacts, readParameterFacts } from './parameter-facts.ts';
import { ownParameters } from './parameters.ts';
import { superuserTarget, targetKey } from './pod-target.ts';
import type { Answer, MemberReading } from './reading.ts';
import { type CanaryReading, WriteCanary } from './write-canary.ts';

const MEMBER_TIMEOUT_MS = 2_000;
/** A disk under load may take its time; one that takes this long keeps every client waiting. */
const COMMIT_TIMEOUT_MS = 5_000;
const DISK_INTERVAL_MS = 5_000;
const LOG_INTERVAL_MS = 15_000;
/** Of one look at a disk: how full it is, which log is on it. */
const DISK_TIMEOUT_MS = 3_000;
const PARAMETERS_INTERVAL_MS = 60_000;
const PARAMETERS_TIMEOUT_MS = 5_000;

/**
 * What is asked of Postgres: of each member, and of the primary as its clients see it. Each probe is made in a function of its own, in which no closure
 * has the scope: what a closure beside it has lives as long as the probe, and a scope has the whole platform.
 */
export function probes(scope: Scope): readonly ProbeDefinition<unknown>[] {
  const pods = memberPods(scope);
  const members = pods.flatMap((pod) => memberProbe(scope, pod, systemClock));
  // A probe's value is known to who asks for it by name; the board carries it as it is.
  return [
    ...members,
    ...canaryProbe(scope),
    ...pods.flatMap((pod) => diskProbe(scope, pod)),
    ...pods.flatMap((pod) => logProbe(scope, pod)),
    ...tlsProbes(scope),
    ...loginProbes(scope),
    ...greetingProbes(scope),
    ...parametersProbe(scope),
  ] as ProbeDefinition<unknown>[];
}

function memberProbe(scope: Scope, pod: Pod, clock: Clock): ProbeDefinition<MemberReading>[] {
  const target = superuserTarget(scope, pod);
  if (target === undefined) return [];
  const { probeIntervalSeconds, failureThreshold } = scope.effective.failover;
  const probe = new MemberProbe(target, failureThreshold, clock);
  return [
    {
      name: memberProbeName(pod),
      component: 'postgres',
      intervalMs: probeIntervalSeconds * 1000,
      // No longer than the interval, so that a primary that says nothing is noticed as soon as one that refuses.
      timeoutMs: Math.min(MEMBER_TIMEOUT_MS, probeIntervalSeconds * 1000),
      target: `${targetKey(scope, pod, target)} ${failureThreshold}`,
      run: (signal) => probe.run(signal),
      successful: ({ sql }) => sql.ok,
      close: () => probe.close(),
    },
  ];
}

/** Of whoever takes writes: whether what it takes reaches its disk. */
function canaryProbe(scope: Scope): ProbeDefinition<CanaryReading>[] {
  const { primary } = leadership(observe(scope));
  const target = primary === undefined ? undefined : superuserTarget(scope, primary.pod);
  if (primary === undefined || target === undefined) return [];
  const { probeIntervalSeconds, failureThreshold } = scope.effective.failover;
  const canary = new WriteCanary(target, failureThreshold);
  return [
    {
      name: CANARY_PROBE,
      component: 'postgres',
      intervalMs: probeIntervalSeconds * 1000,
      timeoutMs: COMMIT_TIMEOUT_MS,
      target: `${targetKey(scope, primary.pod, target)} ${failureThreshold}`,
      run: (signal) => canary.run(signal),
      successful: ({ answer }) => answer.ok,
      close: () => canary.close(),
    },
  ];
}

function diskProbe(scope: Scope, pod: Pod): ProbeDefinition<DiskReading>[] {
  const target = superuserTarget(scope, pod);
  if (target === undefined) return [];
  const probe = new DiskProbe(target);
  return [
    {
      name: diskProbeName(pod),
      component: 'postgres',
      intervalMs: DISK_INTERVAL_MS,
      timeoutMs: DISK_TIMEOUT_MS,
      target: targetKey(scope, pod, target),
      run: (signal) => probe.run(signal),
      changed: hasDiskChanged,
      successful: ({ isCurrent }) => isCurrent,
      measures: ({ space }) => ({ ...space }),
      close: () => probe.close(),
    },
  ];
}

function logProbe(scope: Scope, pod: Pod): ProbeDefinition<Answer<LogPosition>>[] {
  const target = superuserTarget(scope, pod);
  if (target === undefined) return [];
  const probe = new LogProbe(target, systemClock);
  return [
    {
      name: logProbeName(pod),
      component: 'postgres',
      intervalMs: LOG_INTERVAL_MS,
      timeoutMs: DISK_TIMEOUT_MS,
      target: targetKey(scope, pod, target),
      run: (signal) => probe.run(signal),
      changed: hasLogChanged,
      successful: ({ ok }) => ok,
      close: () => probe.close(),
    },
  ];
}

/** Asks the primary what it makes of the resource's own parameters, whenever they change, and now and then. */
function parametersProbe(scope: Scope): ProbeDefinition<Answer<ParameterFacts>>[] {
  const wanted = ownParameters(scope);
  const { primary } = leadership(observe(scope));
  const target = primary === undefined ? undefined : superuserTarget(scope, primary.pod);
  if (primary === undefined || target === undefined || Object.keys(wanted).length === 0) return [];
  return [
    {
      name: PARAMETERS_PROBE,
      component: 'postgres',
      intervalMs: PARAMETERS_INTERVAL_MS,
      timeoutMs: PARAMETERS_TIMEOUT_MS,
      target: `${targetKey(scope, primary.pod, target)} ${JSON.stringify(wanted)}`,
      run: (signal) => readParameterFacts(target, wanted, signal),
      successful: ({ ok }) => ok,
    },
  ];
}
