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
import { medianAndWorst } from './statistics.ts';

const ALL =
  'switchover,switchover-to,deleted,forced,killed,frozen,wedged,cut,cut-leader,api-server,operator-down,disk-full';
/** GiB at first, of volumes that are going to be full. */
const LIMIT_GI = 2;

/** Measures what docs/benchmarks/failover.md states, and writes it. Needs a cluster with the operator and its images. */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    namespace: { type: 'string', default: 'bench-failover' },
    faults: { type: 'string', default: ALL },
    modes: { type: 'string', default: 'driven,alone' },
    output: { type: 'string', default: 'docs/benchmarks/failover.md' },
  },
});
const runs = Number(values.runs);
const client = new KubeClient(loadConfig());
const provider = await chooseProvider(createProgress());

interface Run extends LedgerReport {
  readonly struckAt: string;
  /** Seconds from the fault to full redundancy. */
  readonly redundant: number;
}

/** A platform of its own, with what is needed to strike it. */
class Field {
  readonly subject: Subject;
  readonly #ledger: LedgerPod;
  readonly #placement: Placement;
  readonly #faults: Readonly<Record<string, Fault>>;

  constructor(namespace: string, sizeGi?: number) {
    this.subject = new Subject(client, namespace, sizeGi);
    this.#ledger = new LedgerPod(client, this.subject);
    this.#placement = new Placement(client, this.subject, this.#ledger);
    this.#faults = faultsOf(client, provider, {
      wedge: async (pod) => await this.#ledger.wedge(pod),
      fill: async (pod) => await this.#ledger.fill(pod),
      grow: async () => await this.subject.grow(),
      handOver: async () => void (await this.subject.handOver('any')),
      switchOver: async (pod) => void (await this.subject.switchOver(pod)),
    });
  }

  async setUp(): Promise<void> {
    await this.subject.setUp();
    await this.#ledger.start();
  }

  fault(name: string): Fault {
    const fault = this.#faults[name];
    if (fault === undefined) throw new Error(`fault ${name} is not known`);
    return fault;
  }

  async run({ strike, mend, leaderThere, lastsMs }: Fault): Promise<Run> {
    const { subject } = this;
    const pod = await (leaderThere === undefined
      ? this.#placement.awayFromLedger()
      : this.#placement.besideLeader(leaderThere));
    await pause(8_000);
    const struck = Date.now();
    await strike(pod);
    if (lastsMs === undefined) await subject.replaced(pod);
    else {
      await pause(lastsMs);
      await mend?.(pod);
    }
    const { old, new: fresh } = await this.#ledger.since(struck);
    if (lastsMs === undefined) await mend?.(pod);
    await subject.whole();
    const redundant = (Date.now() - struck) / 1000;
    const end = await this.#ledger.since(struck - 5_000);
    const struckAt = new Date(struck).toISOString();
    return { struckAt, ...end, old: Math.max(old, end.old), new: Math.max(fresh, end.new), redundant };
  }
}

const titles: Readonly<Record<string, string>> = { driven: 'the operator', alone: 'Patroni alone' };
const rows: string[] = [];
const ordinary = new Field(values.namespace);
const wanted = values.faults.split(',').map((name) => ({ name, limited: ordinary.fault(name).limited === true }));
// One after the other, so that neither has to share the machine with a platform that nobody looks at.
await strikeAll(
  ordinary,
  wanted.filter(({ limited }) => !limited).map(({ name }) => name),
);
await strikeAll(
  new Field(`${values.namespace}-volumes`, LIMIT_GI),
  wanted.filter(({ limited }) => limited).map(({ name }) => name),
);
process.exit();

async function strikeAll(field: Field, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await field.setUp();
  for (const mode of values.modes.split(',')) {
    await field.subject.setDriven(mode === 'driven');
    for (const name of names) await strikeOften(field, mode, name);
  }
  await field.subject.remove();
}

async function strikeOften(field: Field, mode: string, name: string): Promise<void> {
  const fault = field.fault(name);
  if (fault.drivenOnly === true && mode !== 'driven') return;
  const results: Run[] = [];
  for (let turn = 0; turn < runs; turn += 1) {
    results.push(
      await field.run(
        mode === 'alone' && fault.aloneLastsMs !== undefined ? { ...fault, lastsMs: fault.aloneLastsMs } : fault,
      ),
    );
    console.log(JSON.stringify({ mode, fault: name, ...results.at(-1) }));
    console.log(JSON.stringify((await field.subject.platform())?.status?.lastFailover));
  }
  const column = (key: 'new' | 'old' | 'redundant'): string => medianAndWorst(results.map((one) => one[key]));
  const sum = results.reduce((total, { lost }) => total + lost, 0);
  const most = (key: 'claiming' | 'writing'): number => Math.max(...results.map((one) => one[key]));
  rows.push(
    `| ${fault.title} | ${titles[mode]} | ${column('new')} | ${column('old')} | ${column('redundant')} | ${sum} | ${most('writing')} | ${most('claiming')} | ${runs} |`,
  );
  await publish();
}

/** After each fault, so that an hour's figures are not lost with the last of them. */
async function publish(): Promise<void> {
  await writeFile(
    values.output,
    `# Failover of Postgres

Measured by \`make bench-failover\` on three nodes that share ${cpus().length} cores and ${Math.round(totalmem() / 2 ** 30)} GiB. Four clients write every 20 ms through the primary Service with
synchronous replication, two over new connections, two over one that they keep and give up after 1 s without an answer. The gap is the longest time
without an acknowledged write of the kind; figures are median / worst, in seconds. Patroni alone is the same platform with \`failover.enabled: false\`.
A checker asks every member all the time whether it is the primary, and has those that say so write; what it was acknowledged is owed as well. A primary
that was cut off says so until it has heard of its successor, but it has no standby left that would confirm a commit.

| fault of the primary | who | gap, new connections | gap, old connections | full redundancy after | acknowledged writes lost | took writes at once, at most | said to be the primary at once, at most | runs |
|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}
`,
  );
}
