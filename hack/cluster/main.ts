import { delimiter } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseProvider } from './choose.ts';
import { createProgress, formatDuration } from './progress.ts';
import { type ClusterProvider, parsePort, parseTarget } from './provider.ts';
import { ensureToolchain } from './toolchain.ts';

const usage = `usage: node hack/cluster/main.ts COMMAND
  up [--nodes 3]         make the cluster, or keep the one that runs
  down                   take it away, with all that belongs to it
  load IMAGE...          put images onto all nodes
  kubeconfig             print the path of the kubeconfig
  partition NODE         cut a node off from the network
  heal NODE              join it again
  freeze CONTAINER       stop a container's processes where they are
  thaw CONTAINER         let them go on
  kill CONTAINER         SIGKILL to the container's first process
  block CONTAINER PORT   drop what its pod sends to a port
  unblock CONTAINER PORT let it pass again
  freeze-api-server      stop the API server where it is
  thaw-api-server        let it go on
  build                  build Kubernetes' binaries and print their folder
  assets                 print a folder with etcd, kube-apiserver and kubectl (KUBEBUILDER_ASSETS)
CONTAINER is NAMESPACE/POD or NAMESPACE/POD/CONTAINER.
ISP_CLUSTER_PROVIDER=kind|local chooses the kind of cluster; without it a cluster named by KUBECONFIG is used as it is.`;

const progress = createProgress();

async function up(provider: ClusterProvider, nodes: number): Promise<void> {
  const began = performance.now();
  await provider.up({ nodes });
  progress.say(`cluster ready after ${formatDuration(performance.now() - began)}; to use it:`);
  const lines = [`export KUBECONFIG=${provider.kubeconfig()}`];
  if (provider.name === 'local') lines.push(`export PATH=${await ensureToolchain(progress)}${delimiter}$PATH`);
  console.log(lines.join('\n'));
}

async function printAssets(): Promise<void> {
  console.log(process.env['KUBEBUILDER_ASSETS'] ?? (await ensureToolchain(progress)));
}

async function main(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { nodes: { type: 'string', default: '3' }, help: { type: 'boolean', short: 'h' } },
  });
  const [command, ...names] = positionals;
  if (values.help || command === undefined) return console.log(usage);
  if (command === 'build') return console.log(await ensureToolchain(progress));
  if (command === 'assets') return printAssets();

  const provider = await chooseProvider(progress);
  const [name = '', port = ''] = names;
  const commands: Record<string, () => Promise<void>> = {
    up: () => up(provider, Number(values.nodes)),
    down: () => provider.down(),
    load: () => provider.load(names),
    kubeconfig: async () => console.log(provider.kubeconfig()),
    partition: () => provider.partition(name),
    heal: () => provider.heal(name),
    freeze: () => provider.freeze(parseTarget(name)),
    thaw: () => provider.thaw(parseTarget(name)),
    kill: () => provider.kill(parseTarget(name)),
    block: () => provider.block(parseTarget(name), parsePort(port)),
    unblock: () => provider.unblock(parseTarget(name), parsePort(port)),
    'freeze-api-server': () => provider.freezeApiServer(),
    'thaw-api-server': () => provider.thawApiServer(),
  };
  const action = commands[command];
  if (!action) throw new Error(`no command ${command}\n${usage}`);
  await action();
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
