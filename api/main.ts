import type { z } from 'zod';
import { type commonVariables, loadConfig, logLevel } from './config.ts';
import { AppError, messageOf } from './errors.ts';
import { type Log, openLog } from './log.ts';

const EXIT_FAILED = 1;
const EXIT_CONFIGURATION = 2;

type CommonConfig = z.output<typeof commonVariables>;

/**
 * Runs one of the platform's processes: reads its settings, opens its log, and turns failures into exit codes:
 * 2 for a wrong environment, 1 for anything else.
 */
export async function main<T extends z.ZodObject>(
  service: string,
  variables: T,
  run: (config: z.output<T>, log: Log) => Promise<void>,
): Promise<void> {
  let log = openLog(service, 'info');
  const fail = (message: string, error: unknown): never => {
    log.error(message, { error });
    process.exit(EXIT_FAILED);
  };
  process.on('unhandledRejection', (error) => fail('a promise was rejected and nobody looked', error));
  process.on('uncaughtException', (error) => fail('an error was thrown and nobody caught it', error));
  try {
    const config = loadConfig(variables, process.env);
    log = openLog(service, logLevel(config as CommonConfig));
    await run(config, log);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'configuration') return fail('ended by an error', error);
    for (const line of messageOf(error).split('\n')) log.error(line);
    process.exit(EXIT_CONFIGURATION);
  }
}

/** The signal that aborts when the process is asked to end (SIGTERM or SIGINT). */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => controller.abort(new Error(name)));
  return controller.signal;
}
