import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chooseProvider } from '../../hack/cluster/choose.ts';
import { createProgress } from '../../hack/cluster/progress.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { loadConfig } from '../../operator/kube/config.ts';
import { leaderAwayFrom, scaleOperator } from './in-cluster/operator.ts';
import { type Fault, faultsOf } from './redis/faults.ts';
import { type LedgerReport, Subject } from './redis/subject.ts';
import { medianAndWorst } from './statistics.ts';

const ALL = 'killed,deleted,forced,frozen,cut,all-killed,all-deleted,volume,template,out,in';

/** Measures what docs/benchmarks/redis.md states, and writes it. Needs a cluster with the operator and its images. */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    namespace: { type: 'string', default: 'bench-redis' },
    faults: { type: 'string', default: ALL },
    modes: { type: 'string', default: 'driven,alone' },
    output: { type: 'string', default: 'docs/benchmarks/redis.md' },
  },
});
const OPERATORS = 2;
/** Nobody else will do anything by then. */
const ALONE_MS = 90_000;
const runs = Number(values.runs);
const client = new KubeClient(loadConfig());
const subject = new Subject(client, values.namespace);
const faults = faultsOf(client, await chooseProvider(createProgress()), subject);

interface Run extends LedgerReport {
  /** Seconds from the fault until every node serves and every replica follows; undefined where that took the operator. */
  readonly whole: number | undefined;
}

const titles: Readonly<Record<string, string>> = { driven: 'the operator', alone: 'Redis alone' };
const rows: string[] = [];
await subject.setUp();
try {
  for (const mode of values.modes.split(',')) {
    for (const name of values.faults.split(',')) await strikeOften(mode, name);
  }
} finally {
  await scaleOperator(client, OPERATORS);
}
await subject.remove();
process.exit();

async function strikeOften(mode: string, name: string): Promise<void> {
  const fault = faults[name];
  if (fault === undefined) throw new Error(`fault ${name} is not known: one of ${Object.keys(faults).join(', ')}`);
  if (fault.asked === true && mode === 'alone') return;
  const results: Run[] = [];
  for (let turn = 0; turn < runs; turn += 1) {
    results.push(await strike(fault, mode === 'alone'));
    console.log(JSON.stringify({ mode, fault: name, ...results.at(-1) }));
  }
  const whole = results.map((one) => one.whole).filter((seconds) => seconds !== undefined);
  const columns = [
    medianAndWorst(results.map(({ gap }) => gap)),
    whole.length < results.length ? `not within ${ALONE_MS / 1000} s` : medianAndWorst(whole),
    results.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    results.reduce((sum, { lost }) => sum + lost, 0),
    runs,
  ];
  rows.push(`| ${fault.title} | ${titles[mode]} | ${columns.join(' | ')} |`);
  await publish();
}

async function strike({ strike, mend, lastsMs, asked }: Fault, alone: boolean): Promise<Run> {
  await subject.healthy();
  await subject.whole();
  const pod = await subject.target();
  if (alone) await scaleOperator(client, 0);
  // What a node takes along that is cut off is to be Redis alone.
  else await leaderAwayFrom(client, pod.spec?.nodeName, async () => await subject.healthy());
  await pause(5_000);
  const struck = Date.now();
  await strike(pod);
  // Nobody has noticed before.
  await pause(lastsMs ?? 3_000);
  await mend?.(pod);
  if (asked === true) await subject.healthy();
  const isWhole = await subject.whole(alone ? ALONE_MS : undefined).then(
    () => true,
    (error: unknown) => {
      if (!alone) throw error;
      return false;
    },
  );
  const seconds = (Date.now() - struck) / 1000;
  if (alone) await scaleOperator(client, OPERATORS);
  await subject.whole();
  await pause(2_000);
  return { ...(await subject.since(struck)), whole: isWhole ? seconds : undefined };
}

/** After each fault, so that an hour's figures are not lost with the last of them. */
async function publish(): Promise<void> {
  await writeFile(
    values.output,
    `# Redis under faults

Measured by \`make bench-redis\` on three nodes that share ${cpus().length} cores and ${Math.round(totalmem() / 2 ** 30)} GiB: mode cluster, three shards of a primary and a replica. 32 writers, with the
client of the reference application and its settings, each to a slot of its own, write every 50 ms. The gap is the longest time without an
answer that any of half of them has had; the others wait for a copy of each write (\`WAIT 1\`), and what they were confirmed is looked for
afterwards. Whole: every node serves all slots, and every replica follows by its own account; what lasts is mended after its time. Figures are
median / worst, in seconds. Redis alone is the same platform while the operator is scaled to 0.

| fault | who | gap | whole after | writes confirmed by a copy | of these lost | runs |
|---|---|---|---|---|---|---|
${rows.join('\n')}
`,
  );
}
