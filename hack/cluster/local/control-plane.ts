import { join } from 'node:path';
import { succeeds } from '../exec.ts';
import { waitFor } from '../wait.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import {
  apiServerUrl,
  etcdPeerUrl,
  etcdUrl,
  hostAddress,
  kubeconfigPath,
  podCidr,
  serviceCidr,
  stateFolder,
  volumeProvisioner,
} from './layout.ts';
import {
  aggregationAuthority,
  clientUsers,
  clusterAuthority,
  pairAt,
  serviceAccountKey,
  serviceAccountPublicKey,
} from './pki.ts';
import { assertRunning, type Daemon, startDaemon } from './process.ts';

export const controlPlaneDaemons = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'volume-provisioner',
] as const;

/** Writes `--name=value` for each setting. */
export function flags(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
}

function daemon(binaries: string, name: string, settings: Readonly<Record<string, string>>): Daemon {
  return { name, folder: stateFolder, command: join(binaries, name), args: flags(settings) };
}

/** etcd on loopback; the data need not survive the machine, so it never waits for the disk. */
export function etcdSettings(): Record<string, string> {
  return {
    'data-dir': join(stateFolder, 'etcd'),
    'unsafe-no-fsync': 'true',
    'listen-client-urls': etcdUrl,
    'advertise-client-urls': etcdUrl,
    'listen-peer-urls': etcdPeerUrl,
    'initial-advertise-peer-urls': etcdPeerUrl,
    'initial-cluster': `default=${etcdPeerUrl}`,
    'log-level': 'warn',
  };
}

export function apiServerSettings(): Record<string, string> {
  const serving = pairAt('apiserver');
  const kubeletClient = pairAt('apiserver-kubelet-client');
  const proxyClient = pairAt('front-proxy-client');
  const authority = pairAt(clusterAuthority).certificate;
  return {
    'advertise-address': hostAddress,
    // On the nodes' bridge alone: nothing beyond this machine can reach it.
    'bind-address': hostAddress,
    'etcd-servers': etcdUrl,
    'service-cluster-ip-range': serviceCidr,
    'allow-privileged': 'true',
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'tls-cert-file': serving.certificate,
    'tls-private-key-file': serving.key,
    'client-ca-file': authority,
    'kubelet-certificate-authority': authority,
    'kubelet-client-certificate': kubeletClient.certificate,
    'kubelet-client-key': kubeletClient.key,
    'kubelet-preferred-address-types': 'InternalIP',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': serviceAccountPublicKey,
    'service-account-signing-key-file': serviceAccountKey,
    // The host has no kube-proxy: webhooks and aggregated APIs are reached by the addresses of their pods.
    'enable-aggregator-routing': 'true',
    'requestheader-client-ca-file': pairAt(aggregationAuthority).certificate,
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'proxy-client-cert-file': proxyClient.certificate,
    'proxy-client-key-file': proxyClient.key,
    profiling: 'false',
  };
}

function configOf(user: string): string {
  return join(stateFolder, `${user}.conf`);
}

/** What the controller manager and the scheduler have in common; alone, neither needs an election. */
function clientSettings(user: keyof typeof clientUsers): Record<string, string> {
  const kubeconfig = configOf(user);
  return {
    kubeconfig,
    'authentication-kubeconfig': kubeconfig,
    'authorization-kubeconfig': kubeconfig,
    'bind-address': '127.0.0.1',
    'leader-elect': 'false',
    profiling: 'false',
  };
}

export function controllerManagerSettings(): Record<string, string> {
  const authority = pairAt(clusterAuthority);
  return {
    ...clientSettings('controller-manager'),
    'cluster-cidr': podCidr,
    'service-cluster-ip-range': serviceCidr,
    'use-service-account-credentials': 'true',
    'service-account-private-key-file': serviceAccountKey,
    'root-ca-file': authority.certificate,
    'cluster-signing-cert-file': authority.certificate,
    'cluster-signing-key-file': authority.key,
  };
}

function volumeProvisionerSettings(): Record<string, string> {
  return { kubeconfig: configOf('volume-provisioner'), root: stateFolder, provisioner: volumeProvisioner };
}

/** Starts etcd and the API server, waits until it is ready, then starts what only talks to it. */
export async function startControlPlane(binaries: string, signal?: AbortSignal): Promise<void> {
  for (const user of Object.keys(clientUsers)) await writeKubeconfig(configOf(user), pairAt(user));
  await startDaemon(daemon(binaries, 'etcd', etcdSettings()));
  const apiServer = daemon(binaries, 'kube-apiserver', apiServerSettings());
  await startDaemon(apiServer);
  await waitFor(
    'the API server',
    async () => {
      await assertRunning({ name: 'etcd', folder: stateFolder });
      await assertRunning(apiServer);
      return (await isApiReady(binaries)) ? true : undefined;
    },
    { timeoutMs: 120_000, intervalMs: 200, ...(signal ? { signal } : {}) },
  );
  await startDaemon(daemon(binaries, 'kube-controller-manager', controllerManagerSettings()));
  await startDaemon(daemon(binaries, 'kube-scheduler', clientSettings('scheduler')));
  await startDaemon(daemon(binaries, 'volume-provisioner', volumeProvisionerSettings()));
}

/** Whether the API server answers, and says that it is ready. */
export async function isApiReady(binaries: string): Promise<boolean> {
  const request = ['--server', apiServerUrl, '--request-timeout=3s', 'get', '--raw', '/readyz'];
  return await succeeds(join(binaries, 'kubectl'), ['--kubeconfig', kubeconfigPath, ...request]);
}
