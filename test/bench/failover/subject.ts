import type { KubeClient } from '../../../operator/kube/client.ts';
import { type Pod, resources } from '../../../operator/kube/resources.ts';
import type { Platform } from '../../../operator/platform/core/platform.ts';
import { NAME, OwnPlatform } from '../in-cluster/own-platform.ts';
import { until } from '../in-cluster/until.ts';

/** The platform whose primary is struck, in a namespace of its own: the smallest one, of which only Postgres matters. */
export class Subject {
  readonly namespace: string;
  readonly #client: KubeClient;
  readonly #platform: OwnPlatform;
  /** GiB of each volume in a class whose volumes have a limit; undefined in the default class, at the tier's size. */
  #sizeGi: number | undefined;
  #enabled = true;

  constructor(client: KubeClient, namespace: string, sizeGi?: number) {
    this.#client = client;
    this.namespace = namespace;
    this.#platform = new OwnPlatform(client, namespace);
    this.#sizeGi = sizeGi;
  }

  async setUp(): Promise<void> {
    await this.setDriven(true);
    await this.whole();
  }

  /** Whether the operator drives failovers, or leaves them to Patroni alone. */
  async setDriven(enabled: boolean): Promise<void> {
    this.#enabled = enabled;
    await this.#apply();
  }

  /** Gives every volume half as much again. */
  async grow(): Promise<void> {
    if (this.#sizeGi === undefined) throw new Error('volumes of the default class do not grow');
    this.#sizeGi *= 1.5;
    await this.#apply();
  }

  /** Takes everything away. */
  async remove(): Promise<void> {
    await this.#platform.remove();
  }

  async #apply(): Promise<void> {
    const size = this.#sizeGi;
    await this.#platform.apply({
      customers: 100,
      rabbitmq: { nodes: 1 },
      beat: { enabled: false },
      failover: { enabled: this.#enabled },
      ...(size === undefined
        ? {}
        : { postgres: { storage: { storageClassName: 'expandable', size: `${Math.floor(size * 1024)}Mi` } } }),
    });
  }

  async platform(): Promise<Platform | undefined> {
    return await this.#platform.get();
  }

  /** When every member serves and commits are synchronous again. */
  async whole(): Promise<Platform> {
    return await this.#platform.healthy('PostgresReady');
  }

  member(ordinal: number): string {
    return `${NAME}-postgres-${ordinal}`;
  }

  async pod(name: string): Promise<Pod | undefined> {
    return await this.#client.get<Pod>({ resource: resources.pods, namespace: this.namespace, name });
  }

  async primary(): Promise<Pod> {
    const name = (await this.whole()).status?.postgres?.primary;
    const pod = name === undefined ? undefined : await this.pod(name);
    if (pod === undefined) throw new Error('there is no primary');
    return pod;
  }

  /** When another one than this is the primary. */
  async replaced({ metadata }: Pod): Promise<void> {
    await until('another primary', async () => {
      const name = (await this.platform())?.status?.postgres?.primary;
      return name !== undefined && name !== metadata.name ? name : undefined;
    });
  }

  /** Moves the primary to the first or the second member, whichever it is not on. */
  async switchOver({ metadata }: Pod): Promise<Pod> {
    const to = this.member(metadata.name === this.member(0) ? 1 : 0);
    // As often as it takes: right after a change a standby may not have everything yet, and then it is refused.
    await until('the switchover', async () => await this.handOver(to));
    return await this.primary();
  }

  /** Asks once for another primary, and says whether there is one; undefined when it was refused or has failed. */
  async handOver(to: string): Promise<true | undefined> {
    const request = `${to}/${Date.now()}`;
    const body = { metadata: { annotations: { 'isp.support/switchover': request } } };
    await this.#client.patch(this.#platform.ref, { type: 'merge', body });
    const outcome = await until('its outcome', async () => {
      const last = (await this.platform())?.status?.lastSwitchover;
      return last?.request !== request || last.outcome === 'InProgress' ? undefined : last.outcome;
    });
    return outcome === 'Succeeded' ? true : undefined;
  }

  /** The values of a Secret of the platform's. */
  async secret(suffix: string): Promise<Record<string, string>> {
    return await this.#platform.secret(suffix);
  }

  get membersHost(): string {
    return this.#platform.host('postgres');
  }
}
