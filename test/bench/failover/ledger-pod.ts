import { build } from 'esbuild';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { type Pod, resources } from '../../../operator/kube/resources.ts';
import type { KubeObject } from '../../../operator/kube/types.ts';
import type { Subject } from './subject.ts';
import { until } from './until.ts';

/** What the ledger says of the time since a moment; gaps in seconds. */
export interface LedgerReport {
  /** The longest gap of the clients that keep their connection, and of those that open one for each write. */
  readonly old: number;
  readonly new: number;
  readonly acknowledged: number;
  readonly lost: number;
  /** The most members at once that took writes. */
  readonly primaries: number;
}

const NAME = 'ledger';

/** The writers, in a pod on the node of the last member. */
export class LedgerPod {
  readonly #client: KubeClient;
  readonly #subject: Subject;

  constructor(client: KubeClient, subject: Subject) {
    this.#client = client;
    this.#subject = subject;
  }

  async start(): Promise<void> {
    const { namespace } = this.#subject;
    const metadata = { name: NAME, namespace };
    const home = await this.#subject.pod(this.#subject.member(2));
    const [app, admin] = [await this.#subject.secret('postgres'), await this.#subject.secret('postgres-admin')];
    await this.#removeLast();
    await this.#apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'ledger.mjs': await program() } });
    await this.#apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: {
        nodeName: home?.spec?.nodeName,
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 0,
        volumes: [{ name: 'program', configMap: { name: NAME } }],
        containers: [
          {
            name: NAME,
            image: await this.#image(),
            command: ['node', '/program/ledger.mjs'],
            env: [
              { name: 'PGURL', value: app['uri'] },
              { name: 'MEMBERS', value: this.#subject.membersHost },
              { name: 'MEMBER_PASSWORD', value: admin['superuser-password'] },
            ],
            volumeMounts: [{ name: 'program', mountPath: '/program' }],
          },
        ],
      },
    });
    await this.since(Date.now());
  }

  async node(): Promise<string | undefined> {
    return (await this.#subject.pod(NAME))?.spec?.nodeName;
  }

  /** Leaves no room on the volume of this member. */
  async fill({ status }: Pod): Promise<void> {
    await this.#client.raw('GET', `${this.#path}?fill=${status?.podIP ?? ''}`);
  }

  get #path(): string {
    return `/api/v1/namespaces/${this.#subject.namespace}/pods/${NAME}:8000/proxy/`;
  }

  /** @param time milliseconds since the epoch */
  async since(time: number): Promise<LedgerReport> {
    return await until('the ledger', async () => {
      try {
        return JSON.parse(await this.#client.raw('GET', `${this.#path}?since=${time}`)) as LedgerReport;
      } catch {
        // It answers when it can read back what it wrote.
        return undefined;
      }
    });
  }

  /** That of the API, which has a Node. */
  async #image(): Promise<string | undefined> {
    const { items } = await this.#client.list<Pod>(resources.pods, { namespace: this.#subject.namespace });
    const images = items.flatMap(({ spec }) => (spec?.containers ?? []).map(({ image }) => image));
    return images.find((image) => image?.includes('/api:'));
  }

  async #removeLast(): Promise<void> {
    const ref = { resource: resources.pods, namespace: this.#subject.namespace, name: NAME };
    await this.#client.delete(ref, { gracePeriodSeconds: 0 });
    await until('the last ledger gone', async () => ((await this.#client.get(ref)) === undefined ? true : undefined));
  }

  async #apply(object: unknown): Promise<void> {
    await this.#client.apply(object as KubeObject, { fieldManager: 'bench', force: true });
  }
}

async function program(): Promise<string | undefined> {
  const { outputFiles } = await build({
    entryPoints: ['test/bench/failover/ledger.ts'],
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: ['pg-native'],
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    write: false,
  });
  return outputFiles[0]?.text;
}
