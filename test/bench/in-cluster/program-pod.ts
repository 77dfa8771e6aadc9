import { build } from 'esbuild';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { type Pod, resources } from '../../../operator/kube/resources.ts';
import type { KubeObject, ObjectRef } from '../../../operator/kube/types.ts';
import { until } from './until.ts';

/** What a program is to run with. */
export interface ProgramPlace {
  /** The node; undefined for any. */
  readonly node: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const PORT = 8000;

/** A program of this repository that runs as a pod, and answers on port 8000 with JSON; 503 while it cannot. */
export class ProgramPod {
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #name: string;
  readonly #entry: string;

  /** @param entry the program's path from the repository's root */
  constructor(client: KubeClient, namespace: string, name: string, entry: string) {
    this.#client = client;
    this.#namespace = namespace;
    this.#name = name;
    this.#entry = entry;
  }

  /** In the place of the last one of this name. */
  async start({ node, env }: ProgramPlace): Promise<void> {
    const metadata = { name: this.#name, namespace: this.#namespace };
    const file = 'program.mjs';
    await this.#removeLast();
    await this.#apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [file]: await bundled(this.#entry) } });
    await this.#apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: {
        nodeName: node,
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 0,
        volumes: [{ name: 'program', configMap: { name: this.#name } }],
        containers: [
          {
            name: this.#name,
            image: await until('a pod of the API', () => this.#image()),
            command: ['node', `/program/${file}`],
            env: Object.entries(env).map(([name, value]) => ({ name, value })),
            volumeMounts: [{ name: 'program', mountPath: '/program' }],
          },
        ],
      },
    });
  }

  async node(): Promise<string | undefined> {
    return (await this.#client.get<Pod>(this.#ref))?.spec?.nodeName;
  }

  /** Rejects while it does not answer, or says that it cannot. */
  async ask(query: string): Promise<string> {
    const { namespace, name } = this.#ref;
    return await this.#client.raw('GET', `/api/v1/namespaces/${namespace}/pods/${name}:${PORT}/proxy/?${query}`);
  }

  /** Until it does. */
  async told<T>(query: string): Promise<T> {
    return await until(this.#name, async () => {
      try {
        return JSON.parse(await this.ask(query)) as T;
      } catch {
        // It answers when what it works on does.
        return undefined;
      }
    });
  }

  get #ref(): ObjectRef {
    return { resource: resources.pods, namespace: this.#namespace, name: this.#name };
  }

  /** That of the API, which has a Node. */
  async #image(): Promise<string | undefined> {
    const { items } = await this.#client.list<Pod>(resources.pods, { namespace: this.#namespace });
    const images = items.flatMap(({ spec }) => (spec?.containers ?? []).map(({ image }) => image));
    return images.find((image) => image?.includes('/api:'));
  }

  async #removeLast(): Promise<void> {
    await this.#client.delete(this.#ref, { gracePeriodSeconds: 0 });
    await until('the last one gone', async () =>
      (await this.#client.get(this.#ref)) === undefined ? true : undefined,
    );
  }

  async #apply(object: unknown): Promise<void> {
    await this.#client.apply(object as KubeObject, { fieldManager: 'bench', force: true });
  }
}

async function bundled(entry: string): Promise<string | undefined> {
  const { outputFiles } = await build({
    entryPoints: [entry],
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
