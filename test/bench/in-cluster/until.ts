import { setTimeout as pause } from 'node:timers/promises';

const TIMEOUT_MS = 300_000;

/** Asks four times a second until there is an answer; throws when there is none in time. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  timeoutMs: number = TIMEOUT_MS,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await pause(250);
  }
}
