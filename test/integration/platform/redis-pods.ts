import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeClient } from '../../../operator/kube/client.ts';
import {
  type ConfigMap,
  type PersistentVolumeClaim,
  type Pod,
  resources,
  type Secret,
  type StatefulSet,
} from '../../../operator/kube/resources.ts';
import type { KubeObject, Resource } from '../../../operator/kube/types.ts';
import { bind, orphan, runSet } from '../../support/controllers/workloads.ts';
import { MountedFiles } from '../../support/mounted-files.ts';

interface Running {
  readonly child: ChildProcess;
  readonly directory: string;
  readonly certificates: MountedFiles;
}

const TURN_MS = 100;
/** After which a changed file is mounted. */
const LAG_MS = 1500;

/**
 * Plays the controllers and the kubelet for the pods of Redis alone: each is a real redis-server, with the configuration that the operator has
 * made, at an address of its own on loopback.
 */
export class RedisPods {
  readonly #client: KubeClient;
  readonly #namespace: string;
  /** Of this run alone: every address has the port of Redis. */
  readonly #net = `127.${20 + Math.floor(Math.random() * 200)}.${Math.floor(Math.random() * 250)}`;
  readonly #addresses = new Map<string, string>();
  readonly #running = new Map<string, Running>();
  readonly #down = new Set<string>();
  readonly #stop = new AbortController();
  #turns: Promise<void> = Promise.resolve();
  #written: Readonly<Record<string, string>> = {};
  #writtenAt = 0;
  /** How often a server was started. */
  starts = 0;

  readonly #nodeOf: (pod: string) => string | undefined;

  /** @param nodeOf the Kubernetes node that a pod is put on; on none it runs as well */
  constructor(client: KubeClient, namespace: string, nodeOf: (pod: string) => string | undefined = () => undefined) {
    this.#client = client;
    this.#namespace = namespace;
    this.#nodeOf = nodeOf;
  }

  start(): void {
    this.#turns = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#turns;
    for (const pod of this.#running.keys()) await this.kill(pod);
  }

  addressOf(pod: string): string {
    const known = this.#addresses.get(pod) ?? `${this.#net}.${this.#addresses.size + 1}`;
    this.#addresses.set(pod, known);
    return known;
  }

  get names(): readonly string[] {
    return [...this.#running.keys()];
  }

  /** Ends a server, which stays down until it is let up. */
  async kill(pod: string): Promise<void> {
    this.#down.add(pod);
    const running = this.#running.get(pod);
    this.#running.delete(pod);
    if (running === undefined) return;
    const exit = once(running.child, 'exit');
    running.child.kill('SIGKILL');
    await exit;
    await rm(running.directory, { recursive: true, maxRetries: 5 });
  }

  /** Without what it had on its volume. */
  letUp(pod: string): void {
    this.#down.delete(pod);
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#turn();
      await sleep(TURN_MS);
    }
  }

  async #turn(): Promise<void> {
    const pods = await this.#list<Pod>(resources.pods);
    for (const claim of await this.#list<PersistentVolumeClaim>(resources.persistentVolumeClaims))
      await bind(this.#client, claim);
    for (const set of await this.#list<StatefulSet>(resources.statefulSets)) {
      await orphan(this.#client, set, pods);
      if (set.metadata.deletionTimestamp === undefined)
        await runSet(this.#client, set, pods, ({ metadata }) => this.addressOf(metadata.name), this.#nodeOf);
    }
    await this.#bringCertificates();
    for (const { metadata } of pods)
      if (!this.#running.has(metadata.name) && !this.#down.has(metadata.name)) await this.#serve(metadata.name);
  }

  /** What is mounted with TLS, later than it is written. */
  async #bringCertificates(): Promise<void> {
    const ofPlatform = async <T extends KubeObject>(resource: Resource, name: string) =>
      await this.#client.get<T>({ resource, namespace: this.#namespace, name });
    const secret = await ofPlatform<Secret>(resources.secrets, 'acme-redis-tls');
    const bundle = await ofPlatform<ConfigMap>(resources.configMaps, 'acme-ca');
    if (secret === undefined || bundle === undefined) return;
    const leaf = ['tls.crt', 'tls.key'].map((key) => [key, Buffer.from(secret.data?.[key] ?? '', 'base64').toString()]);
    const written = { ...Object.fromEntries(leaf), ...bundle.data };
    if (JSON.stringify(written) !== JSON.stringify(this.#written)) {
      this.#written = written;
      this.#writtenAt = performance.now();
    }
    if (performance.now() - this.#writtenAt < LAG_MS) return;
    for (const { certificates } of this.#running.values()) await certificates.bring(written);
  }

  async #serve(pod: string): Promise<void> {
    const name = 'acme-redis';
    const config = await this.#client.get<ConfigMap>({
      resource: resources.configMaps,
      namespace: this.#namespace,
      name,
    });
    const secret = await this.#client.get<Secret>({ resource: resources.secrets, namespace: this.#namespace, name });
    const directory = await mkdtemp(join(tmpdir(), 'redis-pod-'));
    const auth = Buffer.from(secret?.data?.['auth.conf'] ?? '', 'base64').toString();
    const conf = (config?.data?.['redis.conf'] ?? '')
      .replace('/etc/redis-auth', directory)
      .replace('/data', directory)
      .replaceAll('/etc/redis-tls', join(directory, 'tls'));
    const certificates = new MountedFiles(join(directory, 'tls'));
    await certificates.bring(this.#written);
    await writeFile(join(directory, 'auth.conf'), auth);
    await writeFile(join(directory, 'redis.conf'), conf);
    const address = this.addressOf(pod);
    const args = [join(directory, 'redis.conf'), '--bind', address, '--cluster-announce-ip', address];
    args.push('--cluster-announce-hostname', hostOf(pod, this.#namespace));
    const child = spawn('redis-server', args, { stdio: 'ignore' });
    await once(child, 'spawn');
    this.starts += 1;
    this.#running.set(pod, { child, directory, certificates });
  }

  async #list<T extends KubeObject>(resource: Resource): Promise<readonly T[]> {
    const { items } = await this.#client.list<T>(resource, {
      namespace: this.#namespace,
      labelSelector: 'isp.support/component=redis',
    });
    return items;
  }
}

/** The name that a pod has in the cluster's DNS. */
export function hostOf(pod: string, namespace: string): string {
  return `${pod}.acme-redis-nodes.${namespace}.svc`;
}
