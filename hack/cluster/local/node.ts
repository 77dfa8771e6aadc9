import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../cache.ts';
import { waitFor } from '../wait.ts';
import { createCgroup } from './cgroups.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import type { NodeLayout } from './layout.ts';
import { inNetworkOf } from './network.ts';
import { renderCniConfig, renderContainerdConfig, renderKubeletConfig, renderProxyConfig } from './node-config.ts';
import { pairAt } from './pki.ts';
import { assertRunning, type Daemon, startDaemon } from './process.ts';

export const nodeDaemons = ['containerd', 'kubelet', 'kube-proxy'] as const;

function daemon(node: NodeLayout, name: string, command: string, args: readonly string[]): Daemon {
  return { name, folder: node.folder, command: 'nsenter', args: [...inNetworkOf(node), command, ...args] };
}

/** Starts a node's containerd and waits until it can take images; its network must be there already. */
export async function startRuntime(node: NodeLayout, pauseImage: string): Promise<void> {
  for (const folder of ['cni', 'volumes', 'pod-logs']) await mkdir(join(node.folder, folder), { recursive: true });
  const config = join(node.folder, 'containerd.toml');
  await writeFile(config, renderContainerdConfig(node, pauseImage));
  await writeFile(join(node.folder, 'cni', '10-pods.conflist'), renderCniConfig(node));
  await createCgroup(node.cgroup);
  const containerd = daemon(node, 'containerd', 'containerd', ['--config', config, '--log-level', 'warn']);
  await startDaemon(containerd);
  await waitFor(
    `containerd of ${node.name}`,
    async () => {
      await assertRunning(containerd);
      return (await exists(node.containerdSocket)) ? true : undefined;
    },
    { timeoutMs: 30_000 },
  );
}

/** Starts a node's kubelet and kube-proxy, which make it a member of the cluster. */
export async function startKubelet(node: NodeLayout, binaries: string): Promise<void> {
  const kubeconfig = join(node.folder, 'kubelet.conf');
  const kubeletConfig = join(node.folder, 'kubelet.yaml');
  const proxyConfig = join(node.folder, 'kube-proxy.yaml');
  await writeKubeconfig(kubeconfig, pairAt(`kubelet-${node.name}`));
  await writeFile(kubeletConfig, renderKubeletConfig(node));
  await writeFile(proxyConfig, renderProxyConfig(node));
  const kubeletFlags = [
    `--config=${kubeletConfig}`,
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${node.name}`,
    `--node-ip=${node.address}`,
    `--root-dir=${join(node.folder, 'kubelet')}`,
  ];
  await startDaemon(daemon(node, 'kubelet', join(binaries, 'kubelet'), kubeletFlags));
  await startDaemon(daemon(node, 'kube-proxy', join(binaries, 'kube-proxy'), [`--config=${proxyConfig}`]));
}
