import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { renderMetricsServer } from '../addons.ts';
import { cacheFolder } from '../cache.ts';
import { run, succeeds } from '../exec.ts';
import type { Progress } from '../progress.ts';
import type { ClusterProvider, ContainerTarget } from '../provider.ts';
import { cutOff, parseContainers, reconnect, renderKindConfig, setBlockedScript, setFrozenScript } from './config.ts';

const clusterName = 'isp-support';
const kindVersion = 'v0.33.0';
const metricsServerImage = 'registry.k8s.io/metrics-server/metrics-server:v0.9.0';

export function kindKubeconfig(): string {
  return join(cacheFolder(), 'kind.conf');
}

/** The kind command on the PATH, or one built into the cache. */
async function ensureKind(progress: Progress): Promise<string> {
  if (await succeeds('kind', ['version'])) return 'kind';
  const folder = join(cacheFolder(), 'kind', kindVersion);
  const command = join(folder, 'kind');
  if (await succeeds(command, ['version'])) return command;
  const env = { ...process.env, GOBIN: folder };
  await progress.step(`build kind ${kindVersion}`, () =>
    run('go', ['install', `sigs.k8s.io/kind@${kindVersion}`], { env }),
  );
  return command;
}

/** A cluster whose nodes are Docker containers; as many workers as asked for, and a control plane beside them. */
export function createKindProvider(progress: Progress): ClusterProvider {
  const kubeconfig = kindKubeconfig();
  const kind = async (...args: string[]): Promise<string> =>
    run(await ensureKind(progress), [...args, '--name', clusterName]);
  const kubectl = (args: readonly string[], input?: string): Promise<string> => {
    const command = ['exec', '--interactive', `${clusterName}-control-plane`, 'kubectl'];
    const asAdmin = ['--kubeconfig', '/etc/kubernetes/admin.conf'];
    return run('docker', [...command, ...asAdmin, ...args], input === undefined ? {} : { input });
  };
  const onNode = (node: string, script: string): Promise<string> => run('docker', ['exec', node, 'sh', '-ec', script]);

  async function nodes(): Promise<string[]> {
    return (await kind('get', 'nodes')).split('\n').filter((line) => line.startsWith(clusterName));
  }

  async function isHealthy(wanted: number): Promise<boolean> {
    const present = await nodes();
    if (present.length !== wanted + 1) return false;
    for (const node of present) await onNode(node, reconnect);
    const onControlPlane = [
      'exec',
      `${clusterName}-control-plane`,
      'kubectl',
      '--kubeconfig',
      '/etc/kubernetes/admin.conf',
    ];
    return await succeeds(
      'docker',
      onControlPlane.concat('wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=60s'),
    );
  }

  /** Runs a script, with the container's first process as $1, on the node that the container is on. */
  async function onContainer(target: ContainerTarget, script: string): Promise<void> {
    const node = await kubectl([
      'get',
      'pod',
      target.pod,
      '--namespace',
      target.namespace,
      '--output=jsonpath={.spec.nodeName}',
    ]);
    const crictl = (...args: string[]): Promise<string> => run('docker', ['exec', node, 'crictl', ...args]);
    const sandbox = await crictl(
      'pods',
      '--quiet',
      '--state=Ready',
      `--name=^${target.pod}$`,
      `--namespace=^${target.namespace}$`,
    );
    const containers = parseContainers(await crictl('ps', '--output=json', `--pod=${sandbox.trim()}`));
    const wanted = containers.filter(({ name }) => target.container === undefined || name === target.container);
    const [only] = wanted;
    if (!only || wanted.length > 1) {
      throw new Error(`${target.namespace}/${target.pod}: ${wanted.length} running containers match; name one of them`);
    }
    const pid = await crictl('inspect', '--output=go-template', '--template={{.info.pid}}', only.id);
    await run('docker', ['exec', node, 'sh', '-ec', script, 'sh', pid.trim()]);
  }

  return {
    name: 'kind',
    kubeconfig: () => kubeconfig,
    async up({ nodes: count }) {
      await mkdir(cacheFolder(), { recursive: true });
      if ((await nodes()).length > 0) {
        if (await isHealthy(count)) return progress.say('the cluster runs already and is healthy: kept');
        await kind('delete', 'cluster');
      }
      const args = [
        'create',
        'cluster',
        '--name',
        clusterName,
        '--kubeconfig',
        kubeconfig,
        '--wait=180s',
        '--config=-',
      ];
      const command = await ensureKind(progress);
      const create = () => run(command, args, { input: renderKindConfig(count) });
      await progress.step(`create a kind cluster of ${count} workers`, create, '2 min the first time');
      const metrics = await renderMetricsServer({ image: metricsServerImage, kubeletTls: '--kubelet-insecure-tls' });
      await progress.step('install metrics-server', () =>
        kubectl(['apply', '--server-side', '--filename', '-'], metrics),
      );
    },
    async down() {
      await kind('delete', 'cluster', '--kubeconfig', kubeconfig);
    },
    async load(images) {
      await progress.step(`load ${images.length} images`, () => kind('load', 'docker-image', ...images));
    },
    partition: async (node) => void (await onNode(node, cutOff)),
    heal: async (node) => void (await onNode(node, reconnect)),
    freeze: (target) => onContainer(target, setFrozenScript(true)),
    thaw: (target) => onContainer(target, setFrozenScript(false)),
    kill: (target) => onContainer(target, 'kill -KILL "$1"'),
    block: (target, port) => onContainer(target, setBlockedScript(true, port)),
    unblock: (target, port) => onContainer(target, setBlockedScript(false, port)),
    freezeApiServer: async () => void (await onNode(`${clusterName}-control-plane`, 'pkill -STOP -x kube-apiserver')),
    thawApiServer: async () => void (await onNode(`${clusterName}-control-plane`, 'pkill -CONT -x kube-apiserver')),
  };
}
