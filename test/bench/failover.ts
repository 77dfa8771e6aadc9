import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { chooseProvider } from '../../hack/cluster/choose.ts';
import { createProgress } from '../../hack/cluster/progress.ts';
import type { ContainerTarget } from '../../hack/cluster/provider.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { loadConfig } from '../../operator/kube/config.ts';
import { isAlreadyExists } from '../../operator/kube/errors.ts';
import { type Pod, resources } from '../../operator/kube/resources.ts';
import type { KubeObject, Resource } from '../../operator/kube/types.ts';
import type { Platform } from '../../operator/platform/core/platform.ts';

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
const { namespace } = values;
const client = new KubeClient(loadConfig());
const provider = await chooseProvider(createProgress());
const NAME = 'bench';
const SYSTEM = 'isp-support-system';
const platformRef = { resource: resources.platforms, namespace, name: NAME };
const podRef = (name: string) => ({ resource: resources.pods, namespace, name });

interface Report {
  readonly old: number;
  readonly new: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly primaries: number;
}

interface Run extends Report {
  /** Seconds from the fault to full redundancy. */
  readonly redundant: number;
}

const inPod = (pod: string): ContainerTarget => ({ namespace, pod, container: 'postgres' });

interface Fault {
  readonly title: string;
  /** For how long it lasts though nobody takes over, in milliseconds. */
  readonly lastsMs?: number;
  /** Whether the operator's leader is on the primary's node. */
  readonly leaderThere?: boolean;
  readonly strike: (pod: Pod) => Promise<void>;
  /** Takes the fault away, when the new primary has served for a while. */
  readonly mend?: (pod: Pod) => Promise<void>;
}

const faults: Readonly<Record<string, Fault>> = {
  deleted: { title: 'pod deleted', strike: async ({ metadata }) => void (await client.delete(podRef(metadata.name))) },
  forced: {
    title: 'pod force-deleted',
    strike: async ({ metadata }) => void (await client.delete(podRef(metadata.name), { gracePeriodSeconds: 0 })),
  },
  killed: { title: 'container killed (-9)', strike: async ({ metadata }) => await provider.kill(inPod(metadata.name)) },
  frozen: { title: 'container frozen', strike: freeze, mend: thaw },
  cut: { title: 'node cut off', leaderThere: false, strike: cutOff, mend: heal },
  // Nobody is to take over here: the primary reaches every member, and goes on.
  'api-server': {
    title: 'API server stopped for 60 s',
    lastsMs: 60_000,
    strike: async () => await provider.freezeApiServer(),
    mend: async () => await provider.thawApiServer(),
  },
  'cut-leader': {
    title: 'node cut off, with the operator’s leader on it',
    leaderThere: true,
    strike: cutOff,
    mend: heal,
  },
};

async function cutOff({ spec }: Pod): Promise<void> {
  await provider.partition(spec?.nodeName ?? '');
}

async function heal({ spec }: Pod): Promise<void> {
  await provider.heal(spec?.nodeName ?? '');
}

async function freeze({ metadata }: Pod): Promise<void> {
  await provider.freeze(inPod(metadata.name));
}

/** Unless the fence has ended it already. */
async function thaw({ metadata }: Pod): Promise<void> {
  const now = await client.get<Pod>(podRef(metadata.name));
  if (now?.metadata.uid === metadata.uid && now?.metadata.deletionTimestamp === undefined)
    await provider.thaw(inPod(metadata.name));
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

async function until<T>(what: string, ask: () => Promise<T | undefined>, timeoutMs = 300_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await pause(250);
  }
}

/** Every member serves and commits are synchronous again. */
async function whole(): Promise<Platform> {
  return await until('full redundancy', async () => {
    const platform = await client.get<Platform>(platformRef);
    const postgres = platform?.status?.conditions?.find(({ type }) => type === 'PostgresReady');
    return postgres?.status === 'True' && postgres.reason === 'Healthy' ? platform : undefined;
  });
}

async function primary(): Promise<Pod> {
  const name = (await whole()).status?.postgres?.primary;
  const pod = name === undefined ? undefined : await client.get<Pod>(podRef(name));
  if (pod === undefined) throw new Error('there is no primary');
  return pod;
}

async function ask(path: string): Promise<Report> {
  const raw = `/api/v1/namespaces/${namespace}/pods/ledger:8000/proxy/${path}`;
  return await until('the ledger', async () => {
    try {
      return JSON.parse(await client.raw('GET', raw)) as Report;
    } catch {
      // It answers when it can read back what it wrote.
      return undefined;
    }
  });
}

async function apply(object: unknown): Promise<void> {
  await client.apply(object as KubeObject, { fieldManager: 'bench', force: true });
}

async function setUp(): Promise<void> {
  await makeNamespace();
  await apply(platformWith(true));
  await whole();
  await startLedger();
}

async function makeNamespace(): Promise<void> {
  try {
    await client.raw('POST', '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

/** The smallest platform, of which only Postgres matters. */
function platformWith(enabled: boolean): unknown {
  const { apiVersion, kind } = resources.platforms;
  const spec = { customers: 100, rabbitmq: { nodes: 1 }, beat: { enabled: false }, failover: { enabled } };
  return { apiVersion, kind, metadata: { name: NAME, namespace }, spec };
}

/** On the node of the last member; the primary is moved away from there before a run. */
async function startLedger(): Promise<void> {
  const bundle = await build({
    entryPoints: ['test/bench/failover/ledger.ts'],
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: ['pg-native'],
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    write: false,
  });
  const api = (await client.list<Pod>(resources.pods, { namespace })).items.find(({ spec }) =>
    spec?.containers.some(({ image }) => image?.includes('/api:')),
  );
  const image = api?.spec?.containers[0]?.image;
  const home = await client.get<Pod>(podRef(`${NAME}-postgres-2`));
  const [app, admin] = await Promise.all([secret(`${NAME}-postgres`), secret(`${NAME}-postgres-admin`)]);
  const metadata = { name: 'ledger', namespace };
  await remove(resources.pods, 'ledger');
  await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'ledger.mjs': bundle.outputFiles[0]?.text } });
  await apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: {
      nodeName: home?.spec?.nodeName,
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 0,
      volumes: [{ name: 'program', configMap: { name: 'ledger' } }],
      containers: [
        {
          name: 'ledger',
          image,
          command: ['node', '/program/ledger.mjs'],
          env: [
            { name: 'PGURL', value: app['uri'] },
            { name: 'MEMBERS', value: `${NAME}-postgres.${namespace}.svc` },
            { name: 'MEMBER_PASSWORD', value: admin['superuser-password'] },
          ],
          volumeMounts: [{ name: 'program', mountPath: '/program' }],
        },
      ],
    },
  });
  await ask(`?since=${Date.now()}`);
}

async function secret(name: string): Promise<Record<string, string>> {
  const found = await client.get<KubeObject & { data?: Record<string, string> }>({
    resource: resources.secrets,
    namespace,
    name,
  });
  const entries = Object.entries(found?.data ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

async function remove(resource: Resource, name: string): Promise<void> {
  await client.delete({ resource, namespace, name }, { gracePeriodSeconds: 0 });
  await until('it gone', async () =>
    (await client.get({ resource, namespace, name })) === undefined ? true : undefined,
  );
}

async function awayFromLedger(): Promise<Pod> {
  const [pod, ledger] = [await primary(), await client.get<Pod>(podRef('ledger'))];
  if (pod.spec?.nodeName !== ledger?.spec?.nodeName) return pod;
  return await switchOver(`${NAME}-postgres-${pod.metadata.name.endsWith('-0') ? 1 : 0}`);
}

/** Asks as often as it takes: right after a change a standby may not have everything yet, and then it is refused. */
async function switchOver(to: string): Promise<Pod> {
  await until('the switchover', async () => {
    const request = `${to}/${Date.now()}`;
    const body = { metadata: { annotations: { 'isp.support/switchover': request } } };
    await client.patch(platformRef, { type: 'merge', body });
    const outcome = await until('its outcome', async () => {
      const last = (await client.get<Platform>(platformRef))?.status?.lastSwitchover;
      return last?.request !== request || last.outcome === 'InProgress' ? undefined : last.outcome;
    });
    return outcome === 'Succeeded' ? true : undefined;
  });
  return await primary();
}

/** The operator's leader, if there is one. */
async function leader(): Promise<Pod | undefined> {
  const lease = await client.get<KubeObject & { spec?: { holderIdentity?: string } }>({
    resource: resources.leases,
    namespace: SYSTEM,
    name: 'isp-support-operator',
  });
  const name = lease?.spec?.holderIdentity ?? '';
  return name === '' ? undefined : await client.get<Pod>({ resource: resources.pods, namespace: SYSTEM, name });
}

/** Has the operator led from the primary's node, or from another one, by moving whatever is in the wrong place. */
async function place(leaderThere: boolean): Promise<Pod> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const [pod, leading] = [await awayFromLedger(), await until('a leader', leader)];
    if ((leading.spec?.nodeName === pod.spec?.nodeName) === leaderThere) return pod;
    await client.delete({ resource: resources.pods, namespace: SYSTEM, name: leading.metadata.name });
    await pause(5_000);
    await whole();
    if (attempt % 2 === 1) await switchOver(`${NAME}-postgres-${pod.metadata.name.endsWith('-0') ? 1 : 0}`);
  }
  throw new Error('the leader and the primary cannot be brought together or apart');
}

async function run({ strike, mend, leaderThere, lastsMs }: Fault): Promise<Run> {
  const pod = leaderThere === undefined ? await awayFromLedger() : await place(leaderThere);
  await pause(8_000);
  const struck = Date.now();
  await strike(pod);
  if (lastsMs === undefined) await replaced(pod);
  else {
    await pause(lastsMs);
    await mend?.(pod);
  }
  const { old, new: fresh } = await ask(`?since=${struck}`);
  if (lastsMs === undefined) await mend?.(pod);
  await whole();
  const redundant = (Date.now() - struck) / 1000;
  const end = await ask(`?since=${struck - 5_000}`);
  return { ...end, old: Math.max(old, end.old), new: Math.max(fresh, end.new), redundant };
}

async function replaced(pod: Pod): Promise<void> {
  await until('another primary', async () => {
    const now = await client.get<Platform>(platformRef);
    const { primary: name } = now?.status?.postgres ?? {};
    return name !== undefined && name !== pod.metadata.name ? name : undefined;
  });
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

const figure = (numbers: readonly number[]): string =>
  numbers.length === 0 ? '' : `${median(numbers).toFixed(1)} / ${Math.max(...numbers).toFixed(1)}`;

const titles: Readonly<Record<string, string>> = { driven: 'the operator', alone: 'Patroni alone' };
const rows: string[] = [];
await setUp();
for (const mode of values.modes.split(',')) {
  await apply(platformWith(mode === 'driven'));
  for (const name of values.faults.split(',')) {
    const fault = faults[name];
    if (fault === undefined) throw new Error(`fault ${name} is not known`);
    const results: Run[] = [];
    for (let turn = 0; turn < runs; turn += 1) {
      results.push(await run(fault));
      console.log(JSON.stringify({ mode, fault: name, ...results.at(-1) }));
      const record = (await client.get<Platform>(platformRef))?.status?.lastFailover;
      console.log(JSON.stringify(record));
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
