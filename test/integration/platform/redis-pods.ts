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

interface Running {
  readonly child: ChildProcess;
  readonly directory: string;
}

const TURN_MS = 100;

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
  /** How often a server was started. */
  starts = 0;

  constructor(client: KubeClient, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
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
        await runSet(this.#client, set, pods, ({ metadata }) => this.addressOf(metadata.name));
    }
    for (const { metadata } of pods)
      if (!this.#running.has(metadata.name) && !this.#down.has(metadata.name)) await this.#serve(metadata.name);
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
    const conf = (config?.data?.['redis.conf'] ?? '').replace('/etc/redis-auth', directory).replace('/data', directory);
    await writeFile(join(directory, 'auth.conf'), auth);
    await writeFile(join(directory, 'redis.conf'), conf);
    const address = this.addressOf(pod);
    const args = [join(directory, 'redis.conf'), '--bind', address, '--cluster-announce-ip', address];
    const child = spawn('redis-server', args, { stdio: 'ignore' });
    await once(child, 'spawn');
    this.starts += 1;
    this.#running.set(pod, { child, directory });
  }

  async #list<T extends KubeObject>(resource: Resource): Promise<readonly T[]> {
    const { items } = await this.#client.list<T>(resource, {
      namespace: this.#namespace,
      labelSelector: 'isp.support/component=redis',
    });
    return items;
  }
}
