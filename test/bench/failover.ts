import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chooseProvider } from '../../hack/cluster/choose.ts';
import { createProgress } from '../../hack/cluster/progress.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { loadConfig } from '../../operator/kube/config.ts';
import { type Fault, faultsOf } from './failover/faults.ts';
import { LedgerPod, type LedgerReport } from './failover/ledger-pod.ts';
import { Placement } from './failover/placement.ts';
import { Subject } from './failover/subject.ts';
import { median } from './statistics.ts';

/** Measures what docs/benchmarks/failover.md states, and writes it. Needs a cluster with the operator and its images. */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    namespace: { type: 'string', default: 'bench-failover' },
    faults: { type: 'string', default: 'deleted,forced,killed,frozen,cut,cut-leader,api-server' },
    modes: { type: 'string', default: 'driven,alone' },
    output: { type: 'string', default: 'docs/benchmarks/failover.md' },
  },
});
const runs = Number(values.runs);
const client = new KubeClient(loadConfig());
const faults = faultsOf(client, await chooseProvider(createProgress()));
const subject = new Subject(client, values.namespace);
const ledger = new LedgerPod(client, subject);
const placement = new Placement(client, subject, ledger);

interface Run extends LedgerReport {
  /** Seconds from the fault to full redundancy. */
  readonly redundant: number;
}

async function run({ strike, mend, leaderThere, lastsMs }: Fault): Promise<Run> {
  const pod = await (leaderThere === undefined ? placement.awayFromLedger() : placement.besideLeader(leaderThere));
  await pause(8_000);
  const struck = Date.now();
  await strike(pod);
  if (lastsMs === undefined) await subject.replaced(pod);
  else {
    await pause(lastsMs);
    await mend?.(pod);
  }
  const { old, new: fresh } = await ledger.since(struck);
  if (lastsMs === undefined) await mend?.(pod);
  await subject.whole();
  const redundant = (Date.now() - struck) / 1000;
  const end = await ledger.since(struck - 5_000);
  return { ...end, old: Math.max(old, end.old), new: Math.max(fresh, end.new), redundant };
}

const figure = (numbers: readonly number[]): string =>
  numbers.length === 0 ? '' : `${median(numbers).toFixed(1)} / ${Math.max(...numbers).toFixed(1)}`;

const titles: Readonly<Record<string, string>> = { driven: 'the operator', alone: 'Patroni alone' };
const rows: string[] = [];
await subject.setUp();
await ledger.start();
for (const mode of values.modes.split(',')) {
  await subject.setDriven(mode === 'driven');
  for (const name of values.faults.split(',')) {
    const fault = faults[name];
    if (fault === undefined) throw new Error(`fault ${name} is not known`);
    const results: Run[] = [];
    for (let turn = 0; turn < runs; turn += 1) {
      results.push(await run(fault));
      console.log(JSON.stringify({ mode, fault: name, ...results.at(-1) }));
      console.log(JSON.stringify((await subject.platform())?.status?.lastFailover));
    }
    const column = (key: keyof Run): string => figure(results.map((one) => one[key]));
    const sum = results.reduce((total, { lost }) => total + lost, 0);
    const most = Math.max(...results.map(({ primaries }) => primaries));
    rows.push(
      `| ${fault.title} | ${titles[mode]} | ${column('new')} | ${column('old')} | ${column('redundant')} | ${sum} | ${most} | ${runs} |`,
    );
  }
}
await writeFile(
  values.output,
  `# Failover of Postgres

Measured by \`make bench-failover\` on three nodes that share ${cpus().length} cores and ${Math.round(totalmem() / 2 ** 30)} GiB. Four clients write every 20 ms through the primary Service with
synchronous replication, two over new connections, two over one that they keep and give up after 1 s without an answer. The gap is the longest time
without an acknowledged write of the kind; figures are median / worst, in seconds. Patroni alone is the same platform with \`failover.enabled: false\`.

| fault of the primary | who | gap, new connections | gap, old connections | full redundancy after | acknowledged writes lost | most primaries at once | runs |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}
`,
);
process.exit();
