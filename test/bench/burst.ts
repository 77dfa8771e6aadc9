import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { KubeClient } from '../../operator/kube/client.ts';
import { loadConfig } from '../../operator/kube/config.ts';
import { graph, type Sample } from './burst/graph.ts';
import { queueAddress } from './in-cluster/management.ts';
import { OwnPlatform } from './in-cluster/own-platform.ts';
import { ProgramPod } from './in-cluster/program-pod.ts';
import { until } from './in-cluster/until.ts';

/** Measures what docs/benchmarks/burst.md states, and writes it with its graph. Needs a cluster with the operator and its images. */
const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '10000' },
    /** That a task takes. */
    seconds: { type: 'string', default: '0.25' },
    namespace: { type: 'string', default: 'bench-burst' },
    output: { type: 'string', default: 'docs/benchmarks/burst' },
  },
});
const [tasks, seconds] = [Number(values.tasks), Number(values.seconds)];
const QUEUE = 'batch_jobs';
const pool = {
  name: 'batch',
  queues: [QUEUE],
  concurrency: 4,
  prefetch: 1,
  timeLimitSeconds: 60,
  softTimeLimitSeconds: 50,
  autoscaling: { minReplicas: 1, maxReplicas: 8, targetQueueLength: 500, scaleInAfterSeconds: 30 },
};
const { namespace } = values;
const client = new KubeClient(loadConfig());
const platform = new OwnPlatform(client, namespace);
const program = new ProgramPod(client, namespace, 'tasks', 'test/bench/burst/tasks.ts');

/** What the program counts: tasks with a result, results beyond the first of a task, and tasks that RabbitMQ gave out again. */
interface Counts {
  readonly sent: number;
  readonly done: number;
  readonly repeated: number;
  readonly again: number;
}

await platform.apply({ customers: 100, postgres: { instances: 1 }, workers: [pool] });
await until('the platform ready', async () => {
  const found = await platform.get();
  const ready = found?.status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' ? true : undefined;
});
await startProgram();
await program.told<Counts>('');
console.log(`${tasks} tasks of ${seconds} s`);
await program.ask(`send=${tasks}&seconds=${seconds}`);
const began = performance.now();
const samples: Sample[] = [];
for (;;) {
  const [counts, sample] = await Promise.all([program.told<Counts>(''), look()]);
  samples.push({ ...sample, waiting: counts.sent - counts.done });
  await publish(counts);
  const isBackIn =
    counts.done === tasks && sample.wanted === pool.autoscaling.minReplicas && sample.ready === sample.wanted;
  if (isBackIn) break;
  await pause(1_000);
}
await platform.remove();

async function startProgram(): Promise<void> {
  const secret = await platform.secret('rabbitmq');
  const management = queueAddress(platform.host('rabbitmq'), secret, QUEUE);
  await program.start({ node: undefined, env: { BROKER_URL: secret['uri'], MANAGEMENT_URL: management, QUEUE } });
}

async function look(): Promise<Omit<Sample, 'waiting'>> {
  const status = (await platform.get())?.status?.workers?.find(({ name }) => name === pool.name);
  const at = (performance.now() - began) / 1000;
  return { at, wanted: status?.replicas ?? 0, ready: status?.readyReplicas ?? 0 };
}

/** After each look, so that what was seen is not lost with what comes after it. */
async function publish({ done, repeated, again }: Counts): Promise<void> {
  const when = (is: (sample: Sample) => boolean): string => `${Math.round(samples.find(is)?.at ?? Number.NaN)} s`;
  const most = Math.max(...samples.map(({ wanted }) => wanted));
  const { autoscaling, concurrency } = pool;
  await writeFile(`${values.output}.svg`, graph(samples));
  await writeFile(
    `${values.output}.md`,
    `# A burst of tasks

Measured by \`make bench-burst\` on three nodes that share ${cpus().length} cores and ${Math.round(totalmem() / 2 ** 30)} GiB: ${tasks.toLocaleString('en')} tasks of ${seconds} s, sent at once to a pool with ${concurrency} at a time in each
pod, \`minReplicas: ${autoscaling.minReplicas}\`, \`maxReplicas: ${autoscaling.maxReplicas}\`, \`targetQueueLength: ${autoscaling.targetQueueLength}\`, \`scaleInAfterSeconds: ${autoscaling.scaleInAfterSeconds}\`.

![tasks and pods over time](burst.svg)

| | |
|---|---|
| tasks with a result | ${done.toLocaleString('en')} |
| results beyond the first of a task | ${repeated} |
| tasks that RabbitMQ gave out again, as it does when a worker ends that has not finished one | ${again} |
| most pods wanted, after | ${most}, ${when(({ wanted }) => wanted === most)} |
| as many ready, after | ${when(({ ready }) => ready === most)} |
| last result after | ${when(({ waiting }) => waiting === 0)} |
| back at ${autoscaling.minReplicas} after | ${Math.round(samples.at(-1)?.at ?? Number.NaN)} s |
`,
  );
}
