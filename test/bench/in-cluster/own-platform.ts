import type { KubeClient } from '../../../operator/kube/client.ts';
import { type Pod, resources } from '../../../operator/kube/resources.ts';
import type { KubeObject, ObjectRef } from '../../../operator/kube/types.ts';
import { labels } from '../../../operator/platform/core/names.ts';
import type { Platform } from '../../../operator/platform/core/platform.ts';
import type { PlatformSpec } from '../../../operator/platform/schema/spec.ts';
import { secretValues } from '../../support/secret-values.ts';
import { makeNamespace } from './namespace.ts';
import { until } from './until.ts';

/** Name of every platform that a benchmark makes for itself. */
export const NAME = 'bench';

/** A platform that a benchmark makes for itself, in a namespace of its own. */
export class OwnPlatform {
  readonly namespace: string;
  readonly ref: ObjectRef;
  readonly #client: KubeClient;

  constructor(client: KubeClient, namespace: string) {
    this.#client = client;
    this.namespace = namespace;
    this.ref = { resource: resources.platforms, namespace, name: NAME };
  }

  /** Host of one of its Services. */
  host(suffix: string): string {
    return `${NAME}-${suffix}.${this.namespace}.svc`;
  }

  /** Makes it, or changes it. */
  async apply(spec: PlatformSpec): Promise<void> {
    await makeNamespace(this.#client, this.namespace);
    const { apiVersion, kind } = resources.platforms;
    const annotations = { 'isp.support/delete-volumes': 'true' };
    const platform = { apiVersion, kind, metadata: { name: NAME, namespace: this.namespace, annotations }, spec };
    await this.#client.apply(platform as KubeObject, { fieldManager: 'bench', force: true });
  }

  async get(): Promise<Platform | undefined> {
    return await this.#client.get<Platform>(this.ref);
  }

  /** The platform, if the operator has nothing left to do, by this condition, for this generation of the resource. */
  async ifHealthy(type: string): Promise<Platform | undefined> {
    const platform = await this.get();
    const condition = platform?.status?.conditions?.find((one) => one.type === type);
    const isCurrent = condition?.observedGeneration === platform?.metadata.generation;
    return isCurrent && condition?.status === 'True' && condition.reason === 'Healthy' ? platform : undefined;
  }

  /** The same, when it is so. */
  async healthy(type: string): Promise<Platform> {
    return await until(`${type}: Healthy`, async () => await this.ifHealthy(type));
  }

  /** The values of one of its Secrets. */
  async secret(suffix: string): Promise<Record<string, string>> {
    return await secretValues(this.#client, this.namespace, `${NAME}-${suffix}`);
  }

  /** The pods of a component, by name. */
  async pods(component: string): Promise<Pod[]> {
    const labelSelector = `${labels.platform}=${NAME},${labels.component}=${component}`;
    const { items } = await this.#client.list<Pod>(resources.pods, { namespace: this.namespace, labelSelector });
    return items.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  /** Takes everything away. */
  async remove(): Promise<void> {
    await this.#client.delete(this.ref);
    await until('the platform gone', async () => ((await this.get()) === undefined ? true : undefined));
    await this.#client.raw('DELETE', `/api/v1/namespaces/${this.namespace}`);
  }
}
