import { join } from 'node:path';
import { renderManifest, renderMetricsServer } from '../addons.ts';
import { run } from '../exec.ts';
import { systemImage } from './images.ts';
import { dnsAddress, kubeconfigPath, volumeProvisioner } from './layout.ts';
import { volumeProvisionerUser } from './pki.ts';

/** How metrics-server checks the kubelets' certificates: the cluster's authority signed them. */
const kubeletTls = '--kubelet-certificate-authority=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt';

function kubectl(binaries: string, args: readonly string[], input?: string): Promise<string> {
  const options = input === undefined ? {} : { input };
  return run(join(binaries, 'kubectl'), ['--kubeconfig', kubeconfigPath, ...args], options);
}

/** Installs DNS, storage and metrics. */
export async function applyAddons(binaries: string, nodes: number): Promise<void> {
  const manifests = [
    await renderManifest('dns', {
      COREDNS_IMAGE: systemImage(binaries, 'coredns'),
      DNS_ADDRESS: dnsAddress,
      // On two nodes, so that one that is cut off does not take all of DNS along.
      REPLICAS: String(Math.min(2, nodes)),
    }),
    await renderManifest('storage', { PROVISIONER: volumeProvisioner, PROVISIONER_USER: volumeProvisionerUser }),
    await renderMetricsServer({ image: systemImage(binaries, 'metrics-server'), kubeletTls }),
  ];
  await kubectl(binaries, ['apply', '--server-side', '--filename', '-'], manifests.join('---\n'));
}

function waitCommand(timeoutSeconds: number, ...what: string[]): string[] {
  return ['wait', `--timeout=${timeoutSeconds}s`, ...what];
}

/** Waits until all nodes are Ready and names can be resolved: what pods need to run. */
export async function waitUntilUsable(binaries: string, timeoutSeconds: number): Promise<void> {
  await kubectl(binaries, waitCommand(timeoutSeconds, '--for=condition=Ready', 'nodes', '--all'));
  const dns = ['--for=condition=Available', '--namespace=kube-system', 'deployment/coredns'];
  await kubectl(binaries, waitCommand(timeoutSeconds, ...dns));
}

/** Waits until there are metrics too, which takes metrics-server two rounds of the kubelets, half a minute. */
export async function waitUntilComplete(binaries: string, timeoutSeconds: number): Promise<void> {
  await waitUntilUsable(binaries, timeoutSeconds);
  await kubectl(binaries, waitCommand(timeoutSeconds, '--for=condition=Available', 'apiservices', '--all'));
}
