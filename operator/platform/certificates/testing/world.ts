import type { ConfigMap, Secret } from '../../../kube/resources.ts';
import type { KubeObject } from '../../../kube/types.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import type { ComponentPlan, GuardedPatch, ObjectWriter, Scope } from '../../core/component.ts';
import { annotations } from '../../core/names.ts';
import { scopeOf } from '../../core/testing/scope.ts';
import { act } from '../actions.ts';
import { readAuthority } from '../authority.ts';
import { readBundle } from '../certificate.ts';
import { decide } from '../decide.ts';
import { readLeaf, type WantedLeaf } from '../leaf.ts';
import { BUNDLE_KEY } from '../names.ts';

export const LEAF: WantedLeaf = { secret: 'acme-postgres-tls', component: 'postgres', dnsNames: ['db', 'db.support'] };

/** One server with its mounted leaf, and clients each with the bundle that they have mounted: they follow the objects when told to. */
export class World {
  readonly objects = new Map<string, KubeObject>();
  now = new Date('2026-01-01T00:00:00Z');
  request: string | undefined;
  leaf: WantedLeaf = LEAF;
  /** PEM of what the server serves. */
  served: string | undefined;
  readonly clients: string[] = ['', ''];
  #version = 0;

  get secret(): Secret | undefined {
    return this.objects.get('Secret/acme-ca') as Secret | undefined;
  }

  get phase(): string | undefined {
    return this.plan().status?.certificates?.rotation?.phase;
  }

  plan(): ComponentPlan {
    return decide(this.#scope(), this.#uses());
  }

  /** One reconcile. The writes before `lostAfter` are made; then the operator is gone. */
  async reconcile(lostAfter = Number.POSITIVE_INFINITY): Promise<ComponentPlan> {
    const scope = this.#scope();
    const plan = decide(scope, this.#uses());
    let writes = 0;
    const write = (make: () => void): void => {
      writes += 1;
      if (writes <= lostAfter) make();
    };
    for (const object of plan.creates ?? []) if (!this.objects.has(key(object))) write(() => this.#store(object));
    for (const object of plan.objects) if (this.#differs(object)) write(() => this.#store(object));
    const objects: ObjectWriter = {
      create: async (object) => write(() => this.#store(object)),
      patch: async (patch) => write(() => this.#patch(patch)),
    };
    for (const action of plan.actions ?? [])
      await act(action, { scope, logger: silentLogger, signal: AbortSignal.timeout(5_000), objects });
    for (const patch of plan.patches ?? []) write(() => this.#patch(patch));
    return plan;
  }

  pass(ms: number): void {
    this.now = new Date(this.now.getTime() + ms);
  }

  mountBundle(client: number): void {
    const bundle = this.objects.get('ConfigMap/acme-ca') as ConfigMap | undefined;
    this.clients[client] = bundle?.data?.[BUNDLE_KEY] ?? '';
  }

  serveLeaf(): void {
    this.served = readLeaf(this.objects.get(`Secret/${this.leaf.secret}`) as Secret | undefined)?.pem;
  }

  /** Until nothing is left to do, with everyone following at once. */
  async settle(): Promise<void> {
    for (let round = 0; round < 20; round += 1) {
      const { actions = [], patches = [], condition } = await this.reconcile();
      for (const client of this.clients.keys()) this.mountBundle(client);
      this.serveLeaf();
      if (actions.length === 0 && patches.length === 0 && condition.reason === 'Valid') return;
      this.pass(11 * 60_000);
    }
    throw new Error(`not settled: ${this.plan().condition.message}`);
  }

  authority() {
    const { secret } = this;
    return secret === undefined ? undefined : readAuthority(secret);
  }

  #scope(): Scope {
    const scope = scopeOf({
      objects: [...this.objects.values()],
      annotations: this.request === undefined ? {} : { [annotations.rotateAuthority]: this.request },
    });
    return { ...scope, now: this.now };
  }

  #uses() {
    const trusts = (bundle: string, id: string) => readBundle(bundle).some((one) => one.id === id);
    return [
      {
        leaves: [this.leaf],
        distrusting: (id: string) =>
          this.clients.flatMap((bundle, index) => (trusts(bundle, id) ? [] : `client ${index}`)),
        unserved: (id: string) =>
          this.served !== undefined && readBundle(this.served)[0]?.id === id ? [] : ['the server'],
      },
    ];
  }

  #differs(object: KubeObject): boolean {
    const { metadata: _, ...before } = this.objects.get(key(object)) ?? { metadata: {} };
    const { metadata: __, ...after } = object;
    return JSON.stringify(before) !== JSON.stringify(after);
  }

  #store(object: KubeObject): void {
    this.#version += 1;
    const metadata = { namespace: 'support', ...object.metadata, resourceVersion: String(this.#version) };
    this.objects.set(key(object), { ...object, metadata });
  }

  #patch({ ref, guard, operations }: GuardedPatch): void {
    const object = this.objects.get(`${ref.resource.kind}/${ref.name}`) as Secret | undefined;
    if (object === undefined || !('resourceVersion' in guard)) throw new Error(`nothing to patch: ${ref.name}`);
    if (object.metadata.resourceVersion !== guard.resourceVersion) throw new Error(`conflict on ${ref.name}`);
    const changed = structuredClone(object) as { data?: unknown; metadata: { annotations?: unknown } } & Secret;
    for (const operation of operations) {
      if (!('value' in operation)) throw new Error(`${operation.op} is not played`);
      if (operation.path === '/data') changed.data = operation.value as Record<string, string>;
      if (operation.path === '/metadata/annotations')
        changed.metadata.annotations = operation.value as Record<string, string>;
    }
    this.#store(changed);
  }
}

function key({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.name}`;
}
