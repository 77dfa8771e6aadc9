import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { resources } from '../../operator/kube/resources.ts';
import { labels } from '../../operator/platform/core/names.ts';
import {
  apply,
  client,
  deletePod,
  eventually,
  getPlatform,
  healthy,
  platform,
  podsOf,
} from '../e2e/support/cluster.ts';
import { Desk } from '../e2e/support/desk.ts';
import { Ledger } from '../e2e/support/ledger.ts';
import { removePlatform } from '../e2e/support/removal.ts';

/** Measures what docs/benchmarks/platform.md states, and writes it. Needs a cluster with the operator and its images. */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    idle: { type: 'string', default: '600' },
    output: { type: 'string', default: 'docs/benchmarks/platform.md' },
  },
});
const runs = Number(values.runs);
const idleSeconds = Number(values.idle);

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Seconds from `apply` to Ready with full redundancy, and when each component's condition became True. */
async function timeToReady(): Promise<{ total: number; parts: Map<string, number> }> {
  await removePlatform();
  await pause(5000);
  const began = performance.now();
  const parts = new Map<string, number>();
  await apply(platform());
  const seconds = (): number => (performance.now() - began) / 1000;
  await eventually(
    'Ready',
    async () => {
      for (const { type, status } of (await getPlatform())?.status?.conditions ?? [])
        if (type.endsWith('Ready') && status === 'True' && !parts.has(type)) parts.set(type, seconds());
      return parts.has('Ready') ? true : undefined;
    },
    { timeoutMs: 600_000, intervalMs: 200 },
  );
  await healthy();
  return { total: parts.get('Ready') ?? Number.NaN, parts };
}

/** The metrics of every replica of the operator; the leader is the one that says so. */
async function operatorMetrics(): Promise<{ leading: boolean; text: string }[]> {
  const namespace = 'isp-support-system';
  const { items } = await client.list(resources.pods, {
    namespace,
    labelSelector: 'app.kubernetes.io/name=isp-support-operator',
  });
  return await Promise.all(
    items.map(async ({ metadata }) => {
      const text = await client.raw('GET', `/api/v1/namespaces/${namespace}/pods/${metadata.name}:8080/proxy/metrics`);
      return { leading: /^leader_election_master_status\{.*\} 1$/m.test(text), text };
    }),
  );
}

function sumOf(text: string, metric: RegExp): number {
  return [...text.matchAll(metric)].reduce((sum, [, number]) => sum + Number(number), 0);
}

/** Writes of the leader to the API server over a time, without those for its lease, and its memory at the end. */
async function idle(): Promise<{ writes: number; requests: number; memoryMiB: number }> {
  const requests = /^rest_client_requests_total\{(?!.*method="PUT").*\} (\d+)$/gm;
  const writes = /^rest_client_requests_total\{.*method="(?:POST|PATCH|DELETE)".*\} (\d+)$/gm;
  const leader = async (): Promise<string> => {
    const found = (await operatorMetrics()).find(({ leading }) => leading);
    if (found === undefined) throw new Error('no replica of the operator leads');
    return found.text;
  };
  const before = await leader();
  await pause(idleSeconds * 1000);
  const after = await leader();
  return {
    writes: sumOf(after, writes) - sumOf(before, writes),
    requests: sumOf(after, requests) - sumOf(before, requests),
    memoryMiB: sumOf(after, /^process_resident_memory_bytes (\d+)$/gm) / 2 ** 20,
  };
}

/** The longest time without an acknowledged message while the primary's pod is deleted. */
async function primaryDeleted(desk: Desk): Promise<number> {
  const ledger = new Ledger(desk);
  await ledger.more(50);
  const [primary] = await podsOf('postgres', { [labels.role]: 'primary' });
  if (primary === undefined) throw new Error('no pod has the role primary');
  await deletePod(primary);
  await pause(15_000);
  await healthy();
  await ledger.more(20);
  await ledger.close();
  return ledger.largestGapSeconds;
}

const ready: Awaited<ReturnType<typeof timeToReady>>[] = [];
for (let run = 0; run < runs; run += 1) {
  ready.push(await timeToReady());
  console.log(`apply to Ready: ${ready.at(-1)?.total.toFixed(1)} s`);
}
await pause(30_000);
const rest = await idle();
console.log(
  `idle for ${idleSeconds} s: ${rest.writes} writes, ${rest.requests} requests, ${rest.memoryMiB.toFixed(0)} MiB`,
);
const desk = new Desk();
await desk.open();
const gaps: number[] = [];
for (let run = 0; run < runs; run += 1) {
  gaps.push(await primaryDeleted(desk));
  console.log(`primary’s pod deleted: largest gap ${gaps.at(-1)?.toFixed(1)} s`);
}
await desk.close();

const parts = [...(ready.at(-1)?.parts ?? [])].map(([name, seconds]) => `${name} ${seconds.toFixed(1)} s`).join(', ');
const row = (what: string, numbers: readonly number[]): string =>
  `| ${what} | ${median(numbers).toFixed(1)} s | ${Math.max(...numbers).toFixed(1)} s | ${numbers.length} |`;
await writeFile(
  values.output,
  `# The platform on a small cluster

Measured by \`make bench\` on three nodes that share ${cpus().length} cores and ${Math.round(totalmem() / 2 ** 30)} GiB, with images present.

| what | median | worst | runs |
|---|---|---|---|
${row(
  '`kubectl apply` of an empty spec to Ready',
  ready.map(({ total }) => total),
)}
${row('largest gap between two acknowledged messages when the Postgres primary’s pod is deleted', gaps)}

In the last run: ${parts}.

At rest, over ${idleSeconds} s: ${rest.writes} writes and ${rest.requests} requests to the API server by the leading operator (without its
lease), which then used ${rest.memoryMiB.toFixed(0)} MiB of memory. No acknowledged message was lost and none was answered twice: each run of the
failover checks every one.
`,
);
