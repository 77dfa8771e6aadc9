import { TimeLimit } from '../../kube/time-limit.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ProbeDefinition, ProbeResult, ProbeResults } from './component.ts';

export interface ProbeObservation {
  readonly platform: string;
  readonly component: string;
  readonly probe: string;
  readonly success: boolean;
  readonly seconds: number;
  readonly measures?: Readonly<Record<string, number>>;
}

export interface ProbeBoardOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** A result changed in a way that matters: the platform with this key wants another look. */
  readonly onChange: (platformKey: string) => void;
  readonly onObservation?: (observation: ProbeObservation) => void;
  /** A platform's probe is gone, so its series can go too. */
  readonly onRemoved?: (platformKey: string, component: string, probe: string) => void;
}

interface RunningProbe {
  readonly platformKey: string;
  readonly definition: ProbeDefinition<unknown>;
  readonly stop: AbortController;
  /** Its next turn; undefined while the probe is being run. */
  turn: Timer | undefined;
  result: ProbeResult<unknown> | undefined;
}

/**
 * Runs every platform's probes, each on its own clock, so that one that hangs delays neither a reconcile nor another probe. Keeps the
 * newest result of each.
 */
export class ProbeBoard {
  readonly #options: ProbeBoardOptions;
  readonly #platforms = new Map<string, Map<string, RunningProbe>>();

  constructor(options: ProbeBoardOptions) {
    this.#options = options;
  }

  /** Makes exactly these probes run for a platform; one whose target is unchanged goes on undisturbed. */
  sync(platformKey: string, wanted: readonly ProbeDefinition<unknown>[]): void {
    const running = this.#platforms.get(platformKey) ?? new Map<string, RunningProbe>();
    const names = new Set(wanted.map((definition) => definition.name));
    for (const [name, probe] of running) if (!names.has(name)) this.#remove(running, probe);
    for (const definition of wanted) {
      const present = running.get(definition.name);
      const isSame = present !== undefined && isSameProbe(present.definition, definition);
      if (isSame && present.definition.means === definition.means) continue;
      const result = isSame ? present.result : undefined;
      if (present !== undefined) this.#remove(running, present);
      const probe: RunningProbe = { platformKey, definition, stop: new AbortController(), turn: undefined, result };
      running.set(definition.name, probe);
      definition.wakeBy?.(() => this.#wake(probe));
      void this.#run(probe);
    }
    if (running.size === 0) this.#platforms.delete(platformKey);
    else this.#platforms.set(platformKey, running);
  }

  /** The newest results of one platform. */
  results(platformKey: string): ProbeResults {
    const running = this.#platforms.get(platformKey);
    return {
      get: <R>(name: string) => running?.get(name)?.result as ProbeResult<R> | undefined,
    };
  }

  /** Whether every probe of a platform has a result. */
  haveAnswered(platformKey: string): boolean {
    return [...(this.#platforms.get(platformKey)?.values() ?? [])].every(({ result }) => result !== undefined);
  }

  /** Runs a component's probes now instead of at their next turn, for instance after an action that changes what they see. */
  kick(platformKey: string, component: string): void {
    for (const probe of this.#platforms.get(platformKey)?.values() ?? [])
      if (probe.definition.component === component) this.#wake(probe);
  }

  /** Ends everything, as when leadership is lost. */
  stop(): void {
    for (const key of this.#platforms.keys()) this.sync(key, []);
  }

  #remove(running: Map<string, RunningProbe>, { platformKey, definition, stop, turn }: RunningProbe): void {
    running.delete(definition.name);
    stop.abort(new Error('the probe is no longer wanted'));
    turn?.cancel();
    // One that is being run lets go when it ends.
    if (turn !== undefined) definition.close?.();
    this.#options.onRemoved?.(platformKey, definition.component, definition.name);
  }

  #wake(probe: RunningProbe): void {
    if (probe.turn === undefined || probe.stop.signal.aborted) return;
    probe.turn.cancel();
    void this.#run(probe);
  }

  /** One turn, and a timer for the next: between two there is nothing else in memory, for there are thousands of probes. */
  async #run(probe: RunningProbe): Promise<void> {
    const { clock } = this.#options;
    const { definition, stop } = probe;
    probe.turn = undefined;
    const started = clock.monotonicMs();
    await this.#ask(probe);
    if (stop.signal.aborted) {
      definition.close?.();
      return;
    }
    // From start to start, so that probes that time out are not fewer than those that answer.
    const rest = Math.max(0, definition.intervalMs - (clock.monotonicMs() - started));
    probe.turn = clock.setTimeout(() => void this.#run(probe), rest);
  }

  async #ask(probe: RunningProbe): Promise<void> {
    const { platformKey } = probe;
    const { definition, stop } = probe;
    const { clock, logger, onChange, onObservation } = this.#options;
    const started = clock.monotonicMs();
    // Not AbortSignal.timeout, which stays until its time is over, however soon the answer came: thousands of them would.
    using limit = new TimeLimit(definition.timeoutMs, definition.name, stop.signal);
    try {
      const value = await definition.run(limit.signal);
      if (stop.signal.aborted) return;
      const before = probe.result?.value;
      const changed = definition.changed?.(before, value) ?? JSON.stringify(before) !== JSON.stringify(value);
      probe.result = { value, at: clock.now() };
      onObservation?.({
        platform: platformKey,
        component: definition.component,
        probe: definition.name,
        success: definition.successful(value),
        seconds: (clock.monotonicMs() - started) / 1000,
        ...(definition.measures === undefined ? {} : { measures: definition.measures(value) }),
      });
      if (changed) onChange(platformKey);
    } catch (error) {
      if (stop.signal.aborted) return;
      // A probe turns every finding into a value, so this is a defect of the probe: say so, and know nothing rather than something old.
      logger.error('probe threw', { platform: platformKey, probe: definition.name, error });
      const hadResult = probe.result !== undefined;
      probe.result = undefined;
      if (hadResult) onChange(platformKey);
    }
  }
}

function isSameProbe(a: ProbeDefinition<unknown>, b: ProbeDefinition<unknown>): boolean {
  return a.target === b.target && a.intervalMs === b.intervalMs && a.timeoutMs === b.timeoutMs;
}
