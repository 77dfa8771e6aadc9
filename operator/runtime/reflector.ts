import type { List, ListOptions, WatchEvent, WatchOptions } from '../kube/client.ts';
import type { KubeObject } from '../kube/types.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import {
  type CacheChange,
  type Command,
  failureOf,
  type Input,
  initialState,
  type ReflectorState,
  step,
} from './reflector-machine.ts';

/** Where a reflector reads one collection from. */
interface ReflectorSource<T extends KubeObject> {
  list(options: ListOptions, signal: AbortSignal): Promise<List<T>>;
  watch(options: WatchOptions, signal: AbortSignal): AsyncIterable<WatchEvent<T>>;
}

export interface ReflectorOptions<T extends KubeObject> {
  source: ReflectorSource<T>;
  /** Receives every change in order. Must not throw. */
  onChange: (change: CacheChange<T>) => void;
  clock: Clock;
  logger: Logger;
  random?: () => number;
}

/** Runs the reflector's state machine against a real source. */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #state: ReflectorState<T> = initialState();
  #disconnectedAt: number | undefined;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#disconnectedAt = options.clock.monotonicMs();
  }

  /** For how long the cache has not followed the server, in milliseconds; 0 while it does. */
  get disconnectedMs(): number {
    return this.#disconnectedAt === undefined ? 0 : this.#options.clock.monotonicMs() - this.#disconnectedAt;
  }

  /** Follows the source until the signal aborts. Never rejects: every failure leads to another try. */
  async run(signal: AbortSignal): Promise<void> {
    let command = this.#step({ type: 'start' });
    while (!signal.aborted && command !== undefined) {
      try {
        command = await this.#carryOut(command, signal);
      } catch (error) {
        if (signal.aborted) return;
        command = this.#failed(error);
      }
    }
  }

  async #carryOut(command: Command, signal: AbortSignal): Promise<Command | undefined> {
    const { source, clock } = this.#options;
    switch (command.type) {
      case 'list':
        return this.#step({ type: 'page', list: await source.list(command.options, signal) });
      case 'watch':
        for await (const event of source.watch({ ...command.options, onOpen: () => this.#opened() }, signal)) {
          if (signal.aborted) return undefined;
          const next = this.#step({ type: 'event', event });
          if (next !== undefined) return next;
        }
        return signal.aborted ? undefined : this.#step({ type: 'closed' });
      case 'wait':
        await clock.sleep(command.ms, signal);
        return this.#step({ type: 'elapsed' });
    }
  }

  #failed(error: unknown): Command | undefined {
    const failure = failureOf(error);
    const phase = this.#state.phase.name;
    const command = this.#step({ type: 'failed', failure });
    const retryInMs = command?.type === 'wait' ? Math.round(command.ms) : 0;
    this.#options.logger.warn('lost sight of the API server', { phase, failure: failure.kind, retryInMs, error });
    return command;
  }

  /** A stream of initial objects tells nothing until it is complete; a resumed watch follows the server at once. */
  #opened(): void {
    if (this.#state.phase.name === 'watching') this.#disconnectedAt = undefined;
  }

  #step(input: Input<T>): Command | undefined {
    const { clock, random = Math.random, onChange } = this.#options;
    const { change, command } = step(this.#state, input, { nowMs: clock.monotonicMs(), random });
    if (this.#state.phase.name === 'waiting') this.#disconnectedAt ??= clock.monotonicMs();
    if (change !== undefined) {
      this.#disconnectedAt = undefined;
      onChange(change);
    }
    return command;
  }
}
