import { join } from 'node:path';
import { renderManifest, renderMetricsServer } from '../addons.ts';
import { run } from '../exec.ts';
import { systemImage } from './images.ts';
import { dnsAddress, kubeconfigPath, volumeProvisioner } from './layout.ts';
import { volumeProvisionerUser } from './pki.ts';

/** How metrics-server checks the kubelets' certificates: the cluster's authority signed them. */
const kubeletTls = '--kubelet-certificate-authority=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt';

export function kubectl(binaries: string, args: readonly string[], input?: string): Promise<string> {
  const options = input === undefined ? {} : { input };
  return run(join(binaries, 'kubectl'), ['--kubeconfig', kubeconfigPath, ...args], options);
}

/** Installs DNS, storage and metrics. */
export async function applyAddons(binaries: string): Promise<void> {
  const manifests = [
    await renderManifest('dns', {
      COREDNS_IMAGE: systemImage(binaries, 'coredns'),
      DNS_ADDRESS: dnsAddress,
    }),
    await renderManifest('storage', { PROVISIONER: volumeProvisioner, PROVISIONER_USER: volumeProvisionerUser }),
    await renderMetricsServer({ image: systemImage(binaries, 'metrics-server'), kubeletTls }),
  ];
  await kubectl(binaries, ['apply', '--server-side', '--filename', '-'], manifests.join('---\n'));
}

/** Waits until all nodes are Ready and every add-on is Available. */
export async function waitUntilReady(binaries: string, timeoutSeconds: number): Promise<void> {
  const timeout = `--timeout=${timeoutSeconds}s`;
  await kubectl(binaries, ['wait', '--for=condition=Ready', 'nodes', '--all', timeout]);
  const available = ['wait', '--for=condition=Available', timeout, '--all'];
  await kubectl(binaries, [...available, '--namespace', 'kube-system', 'deployments']);
  await kubectl(binaries, [...available, 'apiservices']);
}
