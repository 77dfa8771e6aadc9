import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeClient, type KubeClientOptions } from '../../../operator/kube/client.ts';
import { type Connection, loadConfig } from '../../../operator/kube/config.ts';
import { findAssets } from './assets.ts';
import { freePorts, ServerProcess } from './process.ts';

export interface ApiServer {
  /** Path of a kubeconfig of a cluster administrator. */
  readonly kubeconfig: string;
  /** The text of such a kubeconfig that leads to another port, of a proxy for instance. */
  kubeconfigAt(port: number): string;
  readonly connection: Connection;
  /** A client of an administrator, closed when the server stops. */
  readonly client: KubeClient;
  readonly port: number;
  /** The folder with kubectl and the rest. */
  readonly assets: string;
  /** Another client, for tests that count connections or set options. The caller closes it. */
  newClient(options?: KubeClientOptions): KubeClient;
  /** Kills the API server and starts it anew on the same port and data. */
  restart(): Promise<void>;
  /** Kills the API server and leaves etcd running. */
  kill(): Promise<void>;
  /** Starts a killed API server again. */
  revive(): Promise<void>;
  /** Freezes the API server (SIGSTOP): connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

const TOKEN = 'integration-tests-administrator';
const READY_MS = 60_000;

/** Runs a real etcd and kube-apiserver on random ports of the loopback interface, with nothing in them. Takes a few seconds. */
export async function startApiServer(extraArgs: readonly string[] = []): Promise<ApiServer> {
  const assets = await findAssets();
  const folder = mkdtempSync(join(tmpdir(), 'apiserver-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  const [etcdPort, peerPort, port] = (await freePorts(3)) as [number, number, number];
  const etcd = new ServerProcess(
    'etcd',
    join(assets, 'etcd'),
    etcdArgs(folder, etcdPort, peerPort),
    join(folder, 'etcd.log'),
  );
  await etcd.ready(() => answers(`http://127.0.0.1:${etcdPort}/health`), READY_MS);

  writeCredentials(folder);
  const args = [...apiserverArgs(folder, port, etcdPort), ...extraArgs];
  const run = () =>
    new ServerProcess('kube-apiserver', join(assets, 'kube-apiserver'), args, join(folder, 'apiserver.log'));
  let server = run();
  const kubeconfig = join(folder, 'kubeconfig');
  // The server writes its self-signed certificate, which is what a client trusts, when it starts for the first time.
  const certificate = join(folder, 'certs', 'apiserver.crt');
  await server.ready(async () => readCertificate(certificate), READY_MS);
  const kubeconfigAt = (at: number) => kubeconfigOf(at, readCertificate(certificate));
  writeFileSync(kubeconfig, kubeconfigAt(port));
  const connection = loadConfig({ kubeconfig });
  const client = new KubeClient(connection);
  const ready = async () => {
    await server.ready(() => isReady(client), READY_MS);
  };
  await ready();

  return {
    kubeconfig,
    kubeconfigAt,
    connection,
    client,
    port,
    assets,
    newClient: (options) => new KubeClient(connection, options),
    async restart() {
      await server.stop();
      server = run();
      await ready();
    },
    async kill() {
      await server.stop();
    },
    async revive() {
      server = run();
      await ready();
    },
    pause: () => server.pause(),
    resume: () => server.resume(),
    async stop() {
      await client.close();
      await server.stop();
      await etcd.stop();
      process.removeListener('exit', remove);
      remove();
    },
  };
}

function etcdArgs(folder: string, port: number, peerPort: number): string[] {
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    '--unsafe-no-fsync',
    '--log-level=error',
    `--listen-client-urls=http://127.0.0.1:${port}`,
    `--advertise-client-urls=http://127.0.0.1:${port}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-cluster=default=http://127.0.0.1:${peerPort}`,
  ];
}

function apiserverArgs(folder: string, port: number, etcdPort: number): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${join(folder, 'certs')}`,
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    `--service-account-key-file=${join(folder, 'sa.pub')}`,
    `--service-account-signing-key-file=${join(folder, 'sa.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--service-cluster-ip-range=10.0.0.0/16',
    '--endpoint-reconciler-type=none',
    '--authorization-mode=RBAC',
    // Nothing here gives pods their service accounts.
    '--disable-admission-plugins=ServiceAccount',
    '--shutdown-delay-duration=0s',
  ];
}

function writeCredentials(folder: string): void {
  mkdirSync(join(folder, 'certs'), { recursive: true });
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  writeFileSync(join(folder, 'sa.key'), privateKey);
  writeFileSync(join(folder, 'sa.pub'), publicKey);
  writeFileSync(join(folder, 'tokens.csv'), `${TOKEN},administrator,1,"system:masters"\n`);
}

/** JSON is YAML. */
function kubeconfigOf(port: number, ca: Buffer): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [
      {
        name: 'test',
        cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': ca.toString('base64') },
      },
    ],
    users: [{ name: 'administrator', user: { token: TOKEN } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'administrator', namespace: 'default' } }],
  });
}

/** The file is there a moment before what is in it. */
function readCertificate(path: string): Buffer {
  const content = readFileSync(path);
  if (!content.toString().trimEnd().endsWith('-----END CERTIFICATE-----')) throw new Error(`${path} is not complete`);
  return content;
}

async function isReady(client: KubeClient): Promise<void> {
  await client.raw('GET', '/readyz', undefined, AbortSignal.timeout(1_000));
  // Some post-start hooks are not part of readyz; tests need the namespace that is made last.
  await client.raw('GET', '/api/v1/namespaces/default');
}

async function answers(url: string): Promise<void> {
  const { ok, status } = await fetch(url, { signal: AbortSignal.timeout(1_000) });
  if (!ok) throw new Error(`${url} answers with ${status}`);
}
