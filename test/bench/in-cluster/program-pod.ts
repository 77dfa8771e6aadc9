import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { commonJsNames } from '../../../hack/images/bundle.ts';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { type Pod, resources } from '../../../operator/kube/resources.ts';
import type { KubeObject, ObjectRef } from '../../../operator/kube/types.ts';
import { apiImage } from './api-image.ts';
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
  readonly #others: Readonly<Record<string, string>>;

  /**
   * @param entry the program's path from the repository's root
   * @param others more programs, which it finds beside it in files that are compressed: a ConfigMap takes 1 MiB. By the name of the file
   */
  constructor(
    client: KubeClient,
    namespace: string,
    name: string,
    entry: string,
    others: Readonly<Record<string, string>> = {},
  ) {
    this.#client = client;
    this.#namespace = namespace;
    this.#name = name;
    this.#entry = entry;
    this.#others = others;
  }

  /** In the place of the last one of this name. */
  async start({ node, env }: ProgramPlace): Promise<void> {
    const metadata = { name: this.#name, namespace: this.#namespace };
    const file = 'program.mjs';
    await this.#removeLast();
    const others = Object.entries(this.#others).map(async ([name, entry]) => {
      return [name, gzipSync(await bundled(entry)).toString('base64')] as const;
    });
    await this.#apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { [file]: await bundled(this.#entry) },
      binaryData: Object.fromEntries(await Promise.all(others)),
    });
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
            image: await apiImage(this.#client, this.#namespace),
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

  /** Where the pods of the cluster find it. */
  async address(): Promise<string> {
    const ip = await until('its address', async () => (await this.#client.get<Pod>(this.#ref))?.status?.podIP);
    return `http://${ip}:${PORT}`;
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

/** A program in one file. @param entry where it begins */
async function bundled(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: ['pg-native'],
    banner: { js: commonJsNames },
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}
