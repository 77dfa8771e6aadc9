import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chooseProvider } from '../../hack/cluster/choose.ts';
import { createProgress } from '../../hack/cluster/progress.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { loadConfig } from '../../operator/kube/config.ts';
import { type Fault, faultsOf } from './broker/faults.ts';
import { type Report, STEADY_MS, Subject, WORKERS } from './broker/subject.ts';
import { medianAndWorst } from './statistics.ts';

const ALL = 'worker,node,deleted,forced,killed,frozen,all-deleted,network,scale-in';
/** Nobody has noticed before. */
const NOTICED_MS = 3_000;

/**
 * Measures what docs/benchmarks/broker.md states, and writes it. Needs a cluster with the operator and its images. Ends with 1 when a task was
 * lost, had its effect twice, or was run twice by planned work.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    namespace: { type: 'string', default: 'bench-broker' },
    faults: { type: 'string', default: ALL },
    output: { type: 'string', default: 'docs/benchmarks/broker.md' },
  },
});
const runs = Number(values.runs);
const client = new KubeClient(loadConfig());
const subject = new Subject(client, values.namespace);
const faults = faultsOf(client, await chooseProvider(createProgress()), subject);

interface Run extends Report {
  /** Seconds from the fault until every member is online, every worker consumes and nothing waits. */
  readonly whole: number;
}

const wanted = values.faults.split(',').map((name) => ({ name, fault: known(name) }));
const rows: string[] = [];
const wrongs: string[] = [];
await subject.setUp();
for (const { name, fault } of wanted) await strikeOften(name, fault);
await subject.remove();
for (const wrong of wrongs) console.error(wrong);
process.exit(wrongs.length === 0 ? 0 : 1);

function known(name: string): Fault {
  const fault = faults[name];
  if (fault === undefined) throw new Error(`fault ${name} is not known: one of ${Object.keys(faults).join(', ')}`);
  return fault;
}

async function strikeOften(name: string, fault: Fault): Promise<void> {
  const results: Run[] = [];
  for (let turn = 1; turn <= runs; turn += 1) {
    const run = await strike(fault);
    results.push(run);
    console.log(JSON.stringify({ fault: name, ...run }));
    wrongs.push(...wrongsOf(fault, run).map((wrong) => `${name}, run ${turn}: ${wrong}`));
  }
  const sum = (of: (run: Run) => number): number => results.reduce((total, run) => total + of(run), 0);
  const columns = [
    fault.title,
    medianAndWorst(results.map(({ publishGap }) => publishGap)),
    medianAndWorst(results.map(({ runGap }) => runGap)),
    medianAndWorst(results.map(({ whole }) => whole)),
    sum(({ confirmed }) => confirmed),
    sum(({ lost }) => lost.length),
    sum(({ repeated }) => repeated),
    sum(({ doubled }) => doubled.length),
    runs,
  ];
  rows.push(`| ${columns.join(' | ')} |`);
  await publish();
}

async function strike({ arrange, strike, lastsMs }: Fault): Promise<Run> {
  await subject.whole();
  await arrange?.();
  await subject.spread();
  await pause(5_000);
  const struck = Date.now();
  const mend = await strike();
  await pause(lastsMs ?? NOTICED_MS);
  await mend();
  const healed = await subject.wholeAgain();
  return { ...(await subject.account(struck, healed)), whole: (healed - struck) / 1000 };
}

function wrongsOf({ planned }: Fault, { lost, doubled, repeated }: Run): string[] {
  return [
    ...(lost.length === 0 ? [] : [`lost ${lost.join(', ')}`]),
    ...(doubled.length === 0 ? [] : [`more than one effect of ${doubled.join(', ')}`]),
    ...(planned === true && repeated > 0 ? [`${repeated} tasks were interrupted by planned work`] : []),
  ];
}

/** After each fault, so that an hour's figures are not lost with the last of them. */
async function publish(): Promise<void> {
  await writeFile(
    values.output,
    `# RabbitMQ and the workers under faults

Measured by \`make bench-broker\` on three nodes that share ${cpus().length} cores and ${Math.round(totalmem() / 2 ** 30)} GiB: three brokers with one quorum queue, ${WORKERS} pods of workers with 4 tasks at a time each.
Four publishers, with the task library and its confirms, send a task every 250 ms or as soon as the last one is confirmed or given up; one in ten takes 3 s, the
others 0.1 s. Each task writes down that it runs, and has one effect under the key of its id. Of the brokers the one that leads the queue is struck. Gaps are the
longest time without a confirm that any publisher has had, and in which no task began. Whole: every member of the queue is online, every worker consumes and
nothing waits, and stays so for ${STEADY_MS / 1000} s; what lasts is mended after its time. Figures are median / worst, in seconds.

Lost is a task that was confirmed and whose effect is missing after all is done. A task may be run more than once where a worker or its connection ends before the
task's message is acknowledged, and has its effect once.

| fault | gap, publisher | gap, tasks | whole after | tasks confirmed | of these lost | run more than once | effect more than once | runs |
|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}
`,
  );
}
