import { once } from 'node:events';
import { createLogger } from '../../../operator/runtime/logger.ts';

export interface ComparedClient {
  /** Fills the caches; returns how many objects they have. */
  sync(): Promise<number>;
  /** Reads one object from the server. */
  read(): Promise<void>;
}

export const READS = 200;

/** Fills the caches at once and reads when it gets SIGUSR2; says how long each took, and goes on watching until it is ended. */
export async function compare(client: ComparedClient): Promise<void> {
  const logger = createLogger();
  const asked = once(process, 'SIGUSR2');
  const began = performance.now();
  const objects = await client.sync();
  logger.info('synced', { objects, ms: performance.now() - began });
  await asked;
  const ms: number[] = [];
  for (let read = 0; read < READS; read += 1) {
    const started = performance.now();
    await client.read();
    ms.push(performance.now() - started);
  }
  logger.info('read', { ms });
}
