import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until the assertion holds; throws what it threw last when it does not within the time. */
export async function eventually<T>(assertion: () => T | Promise<T>, timeoutMs = 10_000): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await sleep(20);
  }
}
