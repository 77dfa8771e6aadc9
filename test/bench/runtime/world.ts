import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '../../../operator/kube/types.ts';
import { childKinds } from '../../../operator/platform/core/children.ts';
import type { PlatformSpec } from '../../../operator/platform/schema/spec.ts';
import { establishDefinition, platform } from '../../integration/crd/platforms.ts';
import { type ApiServer, startApiServer } from '../../support/apiserver/index.ts';
import { Controllers } from '../../support/controllers/index.ts';

/** One member of Postgres and one node of RabbitMQ are what the played engines are. */
const spec: PlatformSpec = {
  customers: 100,
  postgres: { instances: 1 },
  rabbitmq: { nodes: 1 },
  api: { replicas: 2 },
  workers: [{ name: 'ai', replicas: 1 }, { name: 'messages' }],
};

/** A real API server with platforms, and the rest of a cluster played. */
export class World {
  readonly server: ApiServer;
  readonly controllers: Controllers;
  #count = 0;

  private constructor(server: ApiServer, controllers: Controllers) {
    this.server = server;
    this.controllers = controllers;
  }

  static async start(): Promise<World> {
    // One client here plays a whole cluster, which a cluster's own limits would slow down.
    const server = await startApiServer(['--enable-priority-and-fairness=false', '--max-mutating-requests-inflight=0']);
    await establishDefinition(server.client, AbortSignal.timeout(30_000));
    const controllers = new Controllers(server.client, { remembers: false });
    await controllers.start();
    return new World(server, controllers);
  }

  /** How many platforms there are, each in a namespace of its own. */
  get count(): number {
    return this.#count;
  }

  namespace(index: number): string {
    return `bench-${index}`;
  }

  /** A platform's name; no two are the same, as in no cluster they would be. */
  name(index: number): string {
    return `desk-${index}`;
  }

  async growTo(count: number): Promise<void> {
    for (; this.#count < count; this.#count += 1) {
      const name = this.namespace(this.#count);
      await this.server.client.raw('POST', '/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name },
      });
      await this.server.client.create(platform(name, this.name(this.#count), spec));
    }
  }

  /** Objects of one platform, or of all. */
  children(index: number): readonly KubeObject[] {
    return childKinds.flatMap((kind) => this.controllers.objects(kind, this.namespace(index)));
  }

  get objects(): number {
    return Array.from({ length: this.#count }, (_, index) => this.children(index).length).reduce((a, b) => a + b, 0);
  }

  /** Waits until nothing has changed anywhere for a time. */
  async quiet(ms: number, timeoutMs = 1_800_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    let changedAt = performance.now();
    const endings = Array.from({ length: this.#count }, (_, index) =>
      this.controllers.listen(this.namespace(index), () => {
        changedAt = performance.now();
      }),
    );
    while (performance.now() - changedAt < ms) {
      this.controllers.check();
      if (performance.now() > deadline) throw new Error('the platforms do not come to rest');
      await sleep(50);
    }
    for (const end of endings) end();
  }

  async stop(): Promise<void> {
    await this.controllers.stop();
    await this.server.stop();
  }
}
