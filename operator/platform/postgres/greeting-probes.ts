import type { Pod } from '../../kube/resources.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import type { ProbeDefinition, Scope } from '../core/component.ts';
import { GreetingFromMember, greet, isTaken } from './greeting.ts';
import { PATRONI_PORT, POSTGRES_PORT } from './names.ts';
import { GREETING_PROBE, greetingProbeName, memberPods, observe } from './observe.ts';
import { superuserTarget, targetKey } from './pod-target.ts';
import type { Answer, GreetingReading } from './reading.ts';
import { isSuspect, SILENCES } from './wedge.ts';

const INTERVAL_MS = 1_000;
const OWN_TIMEOUT_MS = 2_000;
/** Longer than the witness itself waits. */
const WITNESS_TIMEOUT_MS = 3_500;

/** So many looks in a row may come to nothing, as on a machine that is busy, without all before them being forgotten. */
const BLANKS = 3;

/** Counts for how long a server has greeted nobody. */
export class GreetingProbe {
  readonly #of: string | undefined;
  readonly #ask: (signal: AbortSignal) => Promise<Answer<true>>;
  readonly #clock: Clock;
  #silences = 0;
  #blanks = 0;
  #silentSince: Date | undefined;

  constructor(of: string | undefined, ask: (signal: AbortSignal) => Promise<Answer<true>>, clock: Clock) {
    this.#of = of;
    this.#ask = ask;
    this.#clock = clock;
  }

  async run(signal: AbortSignal): Promise<GreetingReading> {
    const answer = await this.#ask(signal);
    this.#count(answer);
    return {
      of: this.#of,
      answer,
      silences: this.#silences,
      ...(this.#silentSince === undefined ? {} : { silentSince: this.#silentSince.toISOString() }),
    };
  }

  #count(answer: Answer<true>): void {
    if (!answer.ok && answer.problem === 'Timeout') {
      this.#blanks = 0;
      this.#silences = Math.min(this.#silences + 1, SILENCES);
      this.#silentSince ??= this.#clock.now();
      return;
    }
    const isBlank = !answer.ok && answer.problem === 'Unreachable';
    this.#blanks = isBlank ? this.#blanks + 1 : 0;
    if (isBlank && this.#blanks <= BLANKS) return;
    this.#silences = 0;
    this.#silentSince = undefined;
  }
}

/** Whether the lock's holder greets anybody, as the operator and every other member see it: only while nobody was seen to get in. */
export function greetingProbes(scope: Scope): ProbeDefinition<GreetingReading>[] {
  const observed = observe(scope);
  if (!isSuspect(observed, scope.now)) return [];
  const pods = memberPods(scope);
  const holder = pods.find(({ metadata }) => metadata.name === observed.lock?.holder);
  const host = holder?.status?.podIP;
  if (holder === undefined || host === undefined) return [];
  const witnesses = pods.filter((pod) => pod !== holder);
  return [ownProbe(holder, host), ...witnesses.flatMap((pod) => witnessProbe(scope, pod, holder, host))];
}

function ownProbe({ metadata }: Pod, host: string): ProbeDefinition<GreetingReading> {
  const probe = new GreetingProbe(metadata.uid, async (signal) => await greetInReach(host, signal), systemClock);
  return {
    ...shared(probe),
    name: GREETING_PROBE,
    timeoutMs: OWN_TIMEOUT_MS,
    target: `${host} ${metadata.uid}`,
  };
}

/** Where connections are taken by the pod, if only by its other port, it is not for the way there that one is not greeted. */
async function greetInReach(host: string, signal: AbortSignal): Promise<Answer<true>> {
  const [answer, isInReach] = await Promise.all([
    greet({ host, port: POSTGRES_PORT }, signal),
    isTaken({ host, port: PATRONI_PORT }, signal),
  ]);
  const isQueueFull = !answer.ok && answer.problem === 'Unreachable' && isInReach;
  return isQueueFull ? { ...answer, problem: 'Timeout' } : answer;
}

function witnessProbe(scope: Scope, pod: Pod, holder: Pod, host: string): ProbeDefinition<GreetingReading>[] {
  const target = superuserTarget(scope, pod);
  if (target === undefined) return [];
  const witness = new GreetingFromMember(target, { host, port: POSTGRES_PORT });
  const probe = new GreetingProbe(holder.metadata.uid, async (signal) => await witness.ask(signal), systemClock);
  return [
    {
      ...shared(probe),
      name: greetingProbeName(pod),
      timeoutMs: WITNESS_TIMEOUT_MS,
      target: `${targetKey(scope, pod, target)} ${host} ${holder.metadata.uid}`,
      close: () => witness.close(),
    },
  ];
}

function shared(
  probe: GreetingProbe,
): Pick<ProbeDefinition<GreetingReading>, 'component' | 'intervalMs'> &
  Pick<ProbeDefinition<GreetingReading>, 'run' | 'successful'> {
  return {
    component: 'postgres',
    intervalMs: INTERVAL_MS,
    run: (signal) => probe.run(signal),
    successful: ({ answer }) => answer.ok,
  };
}
