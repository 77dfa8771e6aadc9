import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { exists } from '../cache.ts';
import { CommandError } from '../exec.ts';
import { withLock } from '../lock.ts';
import { clusterPackages, ensurePackages } from '../packages.ts';
import type { Progress } from '../progress.ts';
import type { ClusterProvider, ContainerTarget, UpOptions } from '../provider.ts';
import { ensureToolchain } from '../toolchain.ts';
import { applyAddons, waitUntilComplete, waitUntilUsable } from './addons.ts';
import { createCgroup, thawAll } from './cgroups.ts';
import { controlPlaneDaemons, isApiReady, startControlPlane } from './control-plane.ts';
import { block, findContainer, freeze, kill, thaw, unblock } from './faults.ts';
import { loadArchives, systemImage, withArchives, writeSystemImages } from './images.ts';
import {
  cgroupRoot,
  daemonCgroup,
  kubeconfigPath,
  layoutVersion,
  maxNodes,
  type NodeLayout,
  nodeLayouts,
  stateFolder,
} from './layout.ts';
import { removeCluster } from './leftovers.ts';
import { createBridge, createNodeNetwork, routeServicesVia, setLink } from './network.ts';
import { nodeDaemons, startKubelet, startRuntime } from './node.ts';
import { createPki } from './pki.ts';
import { isRunning, signalDaemon } from './process.ts';
import { raiseSysctls } from './sysctls.ts';

/** What a running cluster was made of. */
interface ClusterRecord {
  layoutVersion: number;
  toolchain: string;
  nodes: number;
}

const apiServerDaemon = { name: 'kube-apiserver', folder: stateFolder };
const recordFile = join(stateFolder, 'cluster.json');
const lockFile = '/run/lock/isp-support-cluster.lock';

/** A Kubernetes cluster of real daemons on this machine, without Docker: every node is a network namespace. */
export function createLocalProvider(progress: Progress): ClusterProvider {
  const locked = <T>(work: () => Promise<T>): Promise<T> =>
    withLock(lockFile, () => progress.say('another command is at work on the cluster: waiting for it'), work);

  async function up({ nodes: count, signal }: UpOptions): Promise<void> {
    assertUsable(count);
    await ensurePackages(clusterPackages, progress);
    const binaries = await ensureToolchain(progress);
    await locked(async () => {
      const record: ClusterRecord = { layoutVersion, toolchain: basename(binaries), nodes: count };
      if (await isHealthy(record, binaries)) return progress.say('the cluster runs already and is healthy: kept');
      await progress.step('remove what is left of an earlier cluster', removeCluster);
      await create(record, binaries, progress, signal);
    });
  }

  async function onContainer(target: ContainerTarget, act: typeof freeze | typeof kill): Promise<void> {
    await act(await findContainer(await currentNodes(), target));
  }

  return {
    name: 'local',
    up,
    down: () => locked(() => progress.step('remove the cluster', removeCluster)),
    kubeconfig: () => kubeconfigPath,
    async load(references) {
      const nodes = await currentNodes();
      await withArchives(references, async (images) => {
        const loaded = await loadArchives(nodes, images);
        for (const reference of references) {
          progress.say(
            `${reference}: ${loaded.includes(reference) ? `loaded onto ${nodes.length} nodes` : 'there already'}`,
          );
        }
      });
    },
    partition: async (name) => setLink(await findNode(name), 'down'),
    heal: async (name) => setLink(await findNode(name), 'up'),
    freeze: (target) => onContainer(target, freeze),
    thaw: (target) => onContainer(target, thaw),
    kill: (target) => onContainer(target, kill),
    block: (target, port) => onContainer(target, (container) => block(container, port)),
    unblock: (target, port) => onContainer(target, (container) => unblock(container, port)),
    freezeApiServer: () => signalDaemon(apiServerDaemon, 'SIGSTOP'),
    thawApiServer: () => signalDaemon(apiServerDaemon, 'SIGCONT'),
  };
}

function assertUsable(count: number): void {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Error('the local cluster needs Linux and root; elsewhere start Docker, and kind is used');
  }
  if (!Number.isInteger(count) || count < 1 || count > maxNodes)
    throw new Error(`--nodes: a number from 1 to ${maxNodes}`);
}

async function readRecord(): Promise<ClusterRecord | undefined> {
  if (!(await exists(recordFile))) return undefined;
  return JSON.parse(await readFile(recordFile, 'utf8')) as ClusterRecord;
}

async function currentNodes(): Promise<NodeLayout[]> {
  const record = await readRecord();
  if (!record) throw new Error('there is no local cluster: make one with `up`');
  return nodeLayouts(record.nodes);
}

async function findNode(name: string): Promise<NodeLayout> {
  const nodes = await currentNodes();
  const node = nodes.find((candidate) => candidate.name === name);
  if (!node) throw new Error(`no node ${name}: there are ${nodes.map((candidate) => candidate.name).join(', ')}`);
  return node;
}

/** Whether a cluster of this very make runs; faults that were injected into it and not undone are undone first. */
async function isHealthy(wanted: ClusterRecord, binaries: string): Promise<boolean> {
  if (JSON.stringify(await readRecord()) !== JSON.stringify(wanted)) return false;
  const nodes = nodeLayouts(wanted.nodes);
  const daemons = [
    ...controlPlaneDaemons.map((name) => ({ name, folder: stateFolder })),
    ...nodes.flatMap(({ folder }) => nodeDaemons.map((name) => ({ name, folder }))),
  ];
  for (const daemon of daemons) if (!(await isRunning(daemon))) return false;
  for (const node of nodes) await setLink(node, 'up');
  await thawAll(cgroupRoot);
  await signalDaemon(apiServerDaemon, 'SIGCONT');
  if (!(await isApiReady(binaries))) return false;
  try {
    await waitUntilComplete(binaries, 60);
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}

async function create(
  record: ClusterRecord,
  binaries: string,
  progress: Progress,
  signal?: AbortSignal,
): Promise<void> {
  const nodes = nodeLayouts(record.nodes);
  await mkdir(stateFolder, { recursive: true });
  await raiseSysctls();
  await createCgroup(daemonCgroup);
  const images = await progress.step('network, certificates and images of the cluster itself', async () => {
    const [archives] = await Promise.all([writeSystemImages(binaries), createPki(nodes), createNetwork(nodes)]);
    return archives;
  });
  await progress.step(`control plane, and container runtimes of ${nodes.length} nodes`, () =>
    Promise.all([
      startControlPlane(binaries, signal),
      ...nodes.map((node) => startRuntime(node, systemImage(binaries, 'pause'))),
    ]),
  );
  await progress.step('kubelets, images and add-ons', async () => {
    const addons = async () => {
      // The images first: a pod that finds its own missing waits for ten seconds before it looks again.
      await loadArchives(nodes, images);
      await applyAddons(binaries, nodes.length);
    };
    await Promise.all([...nodes.map((node) => startKubelet(node, binaries)), addons()]);
  });
  await progress.step('nodes and DNS become ready', () => waitUntilUsable(binaries, 180), '10 s');
  await writeFile(recordFile, JSON.stringify(record));
}

async function createNetwork(nodes: readonly NodeLayout[]): Promise<void> {
  await createBridge();
  for (const node of nodes) await createNodeNetwork(node, nodes);
  const [first] = nodes;
  if (first) await routeServicesVia(first);
}
