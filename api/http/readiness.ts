import { messageOf } from '../errors.ts';
import { within } from '../within.ts';

export type State = 'up' | 'down';

export interface Check {
  state: State;
  milliseconds: number;
  reason?: string;
}

export interface Observed {
  postgres: Check;
  redis: Check;
  rabbitmq: Check;
  /** The outbox takes no more. */
  outboxFull: boolean;
  draining: boolean;
}

export interface Readiness extends Observed {
  /** `degraded` serves, with less. */
  status: 'ready' | 'degraded' | 'unavailable';
}

/** Without Postgres nothing is kept; without RabbitMQ the outbox keeps messages until it is full; without Redis results wait. */
export function judge(observed: Observed): Readiness {
  const { postgres, redis, rabbitmq, outboxFull, draining } = observed;
  if (postgres.state === 'down' || draining || outboxFull) return { status: 'unavailable', ...observed };
  const degraded = redis.state === 'down' || rabbitmq.state === 'down';
  return { status: degraded ? 'degraded' : 'ready', ...observed };
}

/** Runs a check for at most `timeoutMs`. */
export async function check(probe: () => Promise<void>, timeoutMs: number): Promise<Check> {
  const started = performance.now();
  const done = (state: State) => ({ state, milliseconds: Math.round(performance.now() - started) });
  try {
    await within(timeoutMs, probe());
    return done('up');
  } catch (error) {
    return { ...done('down'), reason: messageOf(error) };
  }
}
