import { parseArgs } from 'node:util';
import { deadLettersVariables } from './config.ts';
import { AppError } from './errors.ts';
import { main } from './main.ts';
import { Broker, brokerAddress } from './tasks/broker.ts';
import { type DeadLetter, type Swept, sweep } from './tasks/dead-letters.ts';
import { declareDeadLetters } from './tasks/topology.ts';

const USAGE =
  'dead-letters list [--limit 100] | dead-letters replay --all | dead-letters replay [--id ID ...] [--queue QUEUE] [--task TASK]';
const CONNECT_TIMEOUT_MS = 15_000;

const { values, positionals } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    id: { type: 'string', multiple: true },
    queue: { type: 'string' },
    task: { type: 'string' },
    limit: { type: 'string' },
  },
  allowPositionals: true,
});

/** What the command line asks to have replayed. @throws AppError `configuration` when it is not understood. */
function choice(): (letter: DeadLetter) => boolean {
  const [command] = positionals;
  const { all, id: ids, queue, task } = values;
  if (command === 'list') return () => false;
  const named = ids !== undefined || queue !== undefined || task !== undefined;
  if (command !== 'replay' || all === named) throw new AppError('configuration', USAGE);
  return (letter) =>
    all ||
    ((ids === undefined || ids.includes(letter.id ?? '')) &&
      (queue === undefined || letter.queue === queue) &&
      (task === undefined || letter.task === task));
}

function print({ letter, outcome, error }: Swept): void {
  if (outcome === 'kept' && positionals[0] === 'replay') return;
  console.log(JSON.stringify({ ...letter, outcome, ...(error !== undefined && { error }) }));
}

await main('dead-letters', deadLettersVariables, async (config, log) => {
  const wanted = choice();
  const opened = Promise.withResolvers<void>();
  const broker = new Broker({
    ...brokerAddress(config),
    name: 'isp-dead-letters',
    // Its output is for a person.
    log: { ...log, info: () => undefined, warn: (message, fields) => log.warn(message, fields) },
    onSession: async (channel) => {
      await declareDeadLetters(channel);
      setImmediate(opened.resolve);
    },
  });
  const timer = setTimeout(
    () => opened.reject(new AppError('broker-unavailable', 'RabbitMQ did not answer; is CELERY_BROKER_URL right?')),
    CONNECT_TIMEOUT_MS,
  );
  broker.start();
  await opened.promise.finally(() => clearTimeout(timer));
  const limit = values.limit === undefined ? Number.POSITIVE_INFINITY : Number(values.limit);
  const swept = await sweep(broker, wanted, limit);
  swept.forEach(print);
  await broker.close();
  process.exit(swept.some(({ outcome }) => outcome === 'failed') ? 1 : 0);
});
