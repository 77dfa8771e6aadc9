import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { CELERY_VERSION } from '../api/support/celery.ts';
import { installServers } from '../api/support/packages.ts';
import { RabbitServer } from '../api/support/rabbitmq.ts';
import { RedisServer } from '../api/support/redis.ts';
import { median, quantile } from './statistics.ts';
import { bundleWorker, CONTESTANTS } from './tasks/contestants.ts';
import { type Figures, measure } from './tasks/measure.ts';

/** Measures what docs/benchmarks/tasks.md states, prints it and writes it: our worker and Celery's, on one broker, in turns. */
const { values } = parseArgs({
  options: {
    concurrency: { type: 'string', default: '4' },
    /** One table for each. */
    prefetch: { type: 'string', default: '4,32' },
    rounds: { type: 'string', default: '3' },
    noop: { type: 'string', default: '4000' },
    sleep: { type: 'string', default: '1000' },
    latencies: { type: 'string', default: '200' },
    output: { type: 'string', default: 'docs/benchmarks/tasks.md' },
  },
});
const [concurrency, rounds] = [Number(values.concurrency), Number(values.rounds)];
const sizes = {
  concurrency,
  noop: Number(values.noop),
  sleep: Number(values.sleep),
  latencies: Number(values.latencies),
};

installServers();
await bundleWorker();
const load = loadavg()[0] ?? 0;
const rabbitmq = new RabbitServer();
const redis = new RedisServer('single');
const prefetches = values.prefetch.split(',').map(Number);
const all: (Figures & { prefetch: number })[] = [];
try {
  await Promise.all([rabbitmq.create(), redis.create()]);
  for (let round = 1; round <= rounds; round++) {
    for (const prefetch of prefetches) {
      for (const contestant of CONTESTANTS) {
        console.error(`▸ round ${round}, ${prefetch} prefetched: ${contestant.name}`);
        const servers = { broker: rabbitmq.url, redis: redis.url };
        all.push({ prefetch, ...(await measure(contestant, servers, { ...sizes, prefetch })) });
      }
    }
  }
} finally {
  await Promise.all([rabbitmq.destroy(), redis.destroy()]);
}
const text = report();
await writeFile(values.output, text);
console.log(text);
process.exit();

function report(): string {
  return `# Tasks, beside Celery

Measured by \`make bench-tasks\` on ${cpus().length} cores and ${Math.round(totalmem() / 2 ** 30)} GiB, the load of the machine being ${load.toFixed(1)} before it began: one RabbitMQ, one
Redis for results, the producer, and one worker at a time on quorum queues, all sharing the machine; the median of ${rounds} rounds in
turns. Celery ${CELERY_VERSION} with late acknowledgement, as this worker always has it; ${concurrency} children everywhere. Rates run from the
last confirm of the producer to the last result in Redis. Memory is that of the worker with its children, what they share
counted once.

With few messages prefetched the broker sets the pace: a quorum queue gives the next message out only after the
acknowledgement of an earlier one is on disk. What a worker itself costs shows in its CPU, and in the rate with more of them.
${prefetches.map(section).join('')}`;
}

function section(prefetch: number): string {
  const names = CONTESTANTS.map(({ name }) => name);
  const middle = (name: string, of: (figures: Figures) => number): number =>
    median(all.filter((one) => one.contestant === name && one.prefetch === prefetch).map(of));
  const row = (what: string, of: (figures: Figures) => number, shown: (value: number) => string): string =>
    `| ${what} | ${names.map((name) => shown(middle(name, of))).join(' | ')} |`;
  const whole = (value: number): string => Math.round(value).toLocaleString('en');
  const seconds = (value: number): string => `${value.toFixed(2)} s`;
  const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;
  const mebibytes = (value: number): string => `${Math.round(value / 2 ** 20)} MiB`;
  const [own = '', ...others] = names;
  const times = (of: (figures: Figures) => number): string =>
    others.map((name) => `${(middle(own, of) / middle(name, of)).toFixed(1)} times that of ${name}`).join(', ');
  return `
## ${prefetch} messages prefetched for each child

| | ${names.join(' | ')} |
|---|${names.map(() => '---|').join('')}
${row(`no-op tasks a second, of ${whole(sizes.noop)}`, ({ noop }) => noop.rate, whole)}
${row('CPU for 1,000 of them', ({ noop }) => noop.cpu, seconds)}
${row(`10 ms tasks a second, of ${whole(sizes.sleep)} (at most ${concurrency * 100})`, ({ sleep }) => sleep.rate, whole)}
${row('CPU for 1,000 of them', ({ sleep }) => sleep.cpu, seconds)}
${row('published to result, idle worker, median', ({ latencies }) => median(latencies), milliseconds)}
${row('99th percentile', ({ latencies }) => quantile(latencies, 0.99), milliseconds)}
${row('memory at rest', ({ idleBytes }) => idleBytes, mebibytes)}
${row('after all of it', ({ busyBytes }) => busyBytes, mebibytes)}

The rate of no-op tasks is ${times(({ noop }) => noop.rate)}.
`;
}
