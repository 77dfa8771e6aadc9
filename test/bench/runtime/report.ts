import { cpus, totalmem } from 'node:os';
import { median, quantile } from '../statistics.ts';
import type { OperatorFigures } from './measure.ts';
import { nodeFlags } from './programs.ts';
import type { ClientFigures } from './side-by-side.ts';
import type { SoakFigures } from './soak.ts';

export interface RuntimeFigures {
  readonly operator: readonly OperatorFigures[];
  readonly clients: readonly {
    readonly platforms: number;
    readonly own: ClientFigures;
    readonly official: ClientFigures;
  }[];
  readonly soak: SoakFigures | undefined;
  readonly properties: { readonly schedules: number; readonly seconds: number } | undefined;
}

/** docs/benchmarks/runtime.md */
export function report(figures: RuntimeFigures): string {
  return [
    `# The controller runtime

Measured by \`make bench-runtime\` on a machine with ${cpus().length} cores and ${Math.round(totalmem() / 2 ** 30)} GiB: a real etcd and kube-apiserver, the rest of
the cluster played in one process (\`test/support/controllers\`), and the operator in a process of its own, bundled and started with the
flags of its image (\`${nodeFlags().join(' ')}\`). All of these share the machine. The
operator's components are the real ones; the engines that they probe are played, so what connections to engines cost is not in these
figures. Of each platform's pods two are played; those of Redis and the application are not there.
`,
    operatorSection(figures.operator),
    ...(figures.clients.length === 0 ? [] : [clientsSection(figures.clients)]),
    ...(figures.soak === undefined ? [] : [soakSection(figures.soak, figures.operator.at(-1)?.platforms ?? 0)]),
    ...(figures.properties === undefined ? [] : [propertiesSection(figures.properties)]),
  ].join('\n');
}

function operatorSection(all: readonly OperatorFigures[]): string {
  const row = (what: string, value: (one: OperatorFigures) => string, limit = ''): string =>
    `| ${[what, ...all.map(value), limit].join(' | ')} |`;
  const idleSeconds = all[0]?.idle.seconds ?? 0;
  return `## The operator

| platforms | ${all.map(({ platforms }) => count(platforms)).join(' | ')} | to reach |
|---|${all.map(() => '---|').join('')}---|
${[
  row('objects in its caches, besides the platforms', ({ objects }) => count(objects)),
  row(`writes in ${idleSeconds} s at rest`, ({ idle }) => count(idle.writes), '0'),
  row(`requests in ${idleSeconds} s at rest, the lease's excepted`, ({ idle }) => count(idle.requests)),
  row('CPU at rest, of one core', ({ idle }) => `${(idle.cpuMs / idle.seconds / 10).toFixed(1)} %`),
  row('CPU time of a reconcile with nothing to do', ({ noop }) => `${noop.later.cpuMs.toFixed(1)} ms`, '≤ 5 ms'),
  row('the same of the first ones of the process', ({ noop }) => `${noop.first.cpuMs.toFixed(1)} ms`),
  row('requests by so many such reconciles', ({ noop }) => requestsOf(noop), '0'),
  row('TCP connections to the API server', ({ connections }) => String(connections), '≤ 8'),
  row('resident memory at rest', ({ residentBytes }) => mib(residentBytes), '≤ 110 MiB at 1, ≤ 250 MiB at 1,000'),
  row('the most resident memory since the start', ({ peakBytes }) => mib(peakBytes)),
  row('start of the process to full caches', ({ start }) => `${start.caches.toFixed(2)} s`),
  row('full caches to the end of the first reconcile', ({ start }) => `${start.first.toFixed(2)} s`, '≤ 1 s'),
  row('start of the process to all platforms reconciled', ({ start }) => `${start.all.toFixed(1)} s`),
  row('requests for that', ({ start }) => count(start.requests)),
  row('drift of an object to its repair, median', ({ repairMs }) => `${median(repairMs).toFixed(0)} ms`),
  row('99th percentile', ({ repairMs }) => `${quantile(repairMs, 0.99).toFixed(0)} ms`),
].join('\n')}

A reconcile with nothing to do is brought about by an annotation on the platform; its CPU time is that of the whole process, decoding of
the event included, less what the process takes at rest; of the first ${all[0]?.noop.first.reconciles ?? 0} there is a row of its own, since node still compiles what they run. Drift: ${all[0]?.repairMs.length ?? 0} times somebody changes a label of a Service, the content of a
ConfigMap or an image of a Deployment, or deletes a PodDisruptionBudget; the time runs from sending that change until a watch shows the
object as it was.
`;
}

function requestsOf({ first, later }: OperatorFigures['noop']): string {
  return `${first.requests + later.requests} by ${first.reconciles + later.reconciles}`;
}

function clientsSection(all: RuntimeFigures['clients']): string {
  const columns = all.flatMap(({ platforms, own, official }) => [
    { title: `this, ${count(platforms)}`, figures: own },
    { title: `official, ${count(platforms)}`, figures: official },
  ]);
  const row = (what: string, value: (one: ClientFigures) => string): string =>
    `| ${[what, ...columns.map(({ figures }) => value(figures))].join(' | ')} |`;
  return `## Beside @kubernetes/client-node

Both follow the fourteen kinds that the operator follows, with the same labels, over the same objects and through the same kind of TCP proxy,
which counts connections; then both read one ConfigMap 200 times, one after the other. \`operator/kube\` and \`operator/runtime\` here, the
client and informers of @kubernetes/client-node there; neither has anything trimmed off its objects but \`managedFields\` here, and so both may take up to 4 GiB.

| platforms | ${columns.map(({ title }) => title).join(' | ')} |
|---|${columns.map(() => '---|').join('')}
${[
  row('objects', ({ objects }) => count(objects)),
  row('time until the caches are full', ({ syncMs }) => `${(syncMs / 1000).toFixed(2)} s`),
  row('connections while watching', ({ connections }) => String(connections)),
  row('resident memory', ({ residentBytes }) => mib(residentBytes)),
  row('200 reads: median', ({ readMs }) => `${readMs.median.toFixed(1)} ms`),
  row('99th percentile', ({ readMs }) => `${readMs.p99.toFixed(1)} ms`),
  row('TLS handshakes for them', ({ handshakes }) => String(handshakes)),
].join('\n')}
`;
}

function soakSection(figures: SoakFigures, platforms: number): string {
  const { seconds, drifts, changes, reconciles, errors, residentBytes, heapBytes, depth, repairMs, writesAfter } =
    figures;
  return `## Under load for ${seconds} s

At ${count(platforms)} platforms: ${count(drifts)} drifts one after the other, and beside them ${count(changes)} changes of specs, one a second.

| what | |
|---|---|
| reconciles, and those of them that failed | ${count(reconciles)}, ${count(errors)} |
| drift to repair: median, 99th percentile | ${median(repairMs).toFixed(0)} ms, ${quantile(repairMs, 0.99).toFixed(0)} ms |
| keys in the queue: most, at the end | ${depth.most}, ${depth.atEnd} |
| resident memory: median of the first third, of the last | ${mib(residentBytes.first)}, ${mib(residentBytes.last)} |
| heap: least of the first third, of the last | ${mib(heapBytes.first)}, ${mib(heapBytes.last)} |
| writes in 20 s after it had come to rest | ${writesAfter} |
`;
}

function propertiesSection({ schedules, seconds }: NonNullable<RuntimeFigures['properties']>): string {
  return `## Random schedules

${count(schedules)} of the queue and ${count(schedules)} of the reflector's state machine (\`npm run properties\`), in ${seconds.toFixed(0)} s, without a key missed or
handed out twice at once, and without a cache that ends otherwise than the server. The crash points and seeds of the fault injection
suite are in [the runtime's reference](../reference/runtime.md#under-faults).
`;
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
