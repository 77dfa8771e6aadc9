import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'amqplib';
import type { Pod, Secret, StatefulSet } from '../../../operator/kube/resources.ts';
import type { KubeObject } from '../../../operator/kube/types.ts';
import type { ActionContext, Scope } from '../../../operator/platform/core/component.ts';
import { ProbeBoard } from '../../../operator/platform/core/probe-board.ts';
import { cached, scopeOf } from '../../../operator/platform/core/testing/scope.ts';
import { credentialsComponent } from '../../../operator/platform/credentials/component.ts';
import { rabbitmqComponent } from '../../../operator/platform/rabbitmq/component.ts';
import type { Login } from '../../../operator/platform/rabbitmq/management-http.ts';
import { VHOST } from '../../../operator/platform/rabbitmq/names.ts';
import { BROKER_LOGIN } from '../../../operator/platform/rabbitmq/tls/facts.ts';
import { systemClock } from '../../../operator/runtime/clock.ts';
import { silentLogger } from '../../../operator/runtime/logger.ts';
import { type Driver, secrets } from './driver.ts';
import type { RabbitNode } from './nodes.ts';

const KEY = 'support/acme';
/** A kubelet follows a Secret within this time. */
const MOUNT_MS = 110_000;

/**
 * The operator's part in a rotation over real nodes, with the objects of a platform kept here: what it decides is decided each time from these and
 * from what the nodes say, and it may end after any write.
 */
export class Rotation {
  readonly objects = new Map<string, KubeObject>();
  /** Notes of the events that were told of, each once in a row. */
  readonly notes: string[] = [];
  request: string | undefined;
  /** Says whether the operator ends before its next write. */
  endsNow: () => boolean = () => false;
  readonly #driver: Driver;
  readonly #mounts: { readonly at: number; readonly definitions: string }[] = [];
  readonly #board = new ProbeBoard({ clock: systemClock, logger: silentLogger, onChange: () => {} });
  readonly #credentials = credentialsComponent((length) => {
    this.#drawn += 1;
    return String(this.#drawn).padStart(length, 'x');
  });
  #drawn = 0;
  #aheadMs = 0;
  #podUrl = '';

  constructor(driver: Driver) {
    this.#driver = driver;
    const set = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'acme-rabbitmq' } } as StatefulSet;
    this.#put(cached<StatefulSet>(set, 'rabbitmq', { spec: { replicas: driver.nodes.length } }));
    for (const secret of secrets) this.#put(secret);
    for (let turn = 0; turn < 2; turn++) this.#write(this.#scope());
    this.replacePods();
  }

  /** What the application's pods have. */
  get inUse(): Login {
    return loginIn(this.#podUrl);
  }

  /** What a client that starts now gets. */
  get inForce(): Login {
    return loginIn(this.#text('acme-app', 'CELERY_BROKER_URL'));
  }

  /** One reconcile. Gives what the status and the condition say. */
  async step() {
    const scope = this.#scope();
    this.#board.sync(KEY, rabbitmqComponent.probes(scope));
    const { condition, status, actions = [], events = [] } = rabbitmqComponent.plan(scope, []);
    for (const { note } of events) if (this.notes.at(-1) !== note) this.notes.push(note);
    try {
      this.#write(scope);
      for (const action of actions) {
        if (this.endsNow()) throw new Error('the operator ends');
        await rabbitmqComponent.act?.(action, { scope, signal: AbortSignal.timeout(10_000) } as ActionContext);
      }
    } catch (error) {
      // It ends, or is refused, and the next one decides anew.
      if (!(error instanceof Error)) throw error;
    }
    if (actions.length > 0) this.#board.kick(KEY, 'rabbitmq');
    return { rotation: status?.rabbitmq?.passwordRotation, condition };
  }

  /** The application's pods are replaced by ones with what its Secret has now. */
  replacePods(): void {
    this.#podUrl = this.#text('acme-app', 'CELERY_BROKER_URL');
    const login = this.objects.get('Secret/acme-app')?.metadata.annotations?.[BROKER_LOGIN];
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'acme-api-1' } } as Pod;
    const annotations = login === undefined ? {} : { [BROKER_LOGIN]: login };
    this.#put(cached<Pod>(pod, 'api', { metadata: { annotations } }));
  }

  /** The time of day goes on by more than a step lasts. */
  pass(): void {
    this.#aheadMs += 130_000;
  }

  /** A pod that ends and another in its place, with what its kubelet has mounted: the oldest that it may have, unless told otherwise. */
  async restart(node: RabbitNode, lagMs = MOUNT_MS): Promise<void> {
    await node.stop();
    const mounted = this.#mounts.findLast(({ at }) => at <= this.#now() - lagMs) ?? this.#mounts[0];
    const before = this.#text('acme-rabbitmq', 'definitions.json');
    writeFileSync(join(this.#driver.machine.secret, 'definitions.json'), mounted?.definitions ?? before);
    node.start('plain');
  }

  /** Whether a node lets somebody in; undefined where it does not listen now. */
  async isLetIn({ host }: RabbitNode, login: Login): Promise<boolean | undefined> {
    try {
      const connection = await connect({ hostname: host, vhost: VHOST, ...login }, { timeout: 5_000 });
      await connection.close();
      return true;
    } catch (error) {
      return /ACCESS.REFUSED/.test((error as Error).message) ? false : undefined;
    }
  }

  end(): void {
    this.#board.stop();
  }

  #write(scope: Scope): void {
    const { creates = [], objects, remove = [] } = this.#credentials.plan(scope, []);
    for (const object of [...creates.filter((one) => !this.objects.has(keyOf(one))), ...objects] as Secret[]) {
      if (this.endsNow()) throw new Error('the operator ends');
      const { name, annotations = {} } = object.metadata;
      const before = (this.objects.get(`Secret/${name}`) as Secret | undefined)?.data;
      this.#put(
        cached<Secret>({ ...object, data: { ...before, ...object.data } }, 'credentials', {
          metadata: { annotations },
        }),
      );
    }
    for (const { ref } of remove) {
      if (this.endsNow()) throw new Error('the operator ends');
      this.objects.delete(`${ref.resource.kind}/${ref.name}`);
    }
  }

  #put(object: KubeObject): void {
    this.objects.set(keyOf(object), object);
    if (object.metadata.name !== 'acme-rabbitmq' || object.kind !== 'Secret') return;
    const definitions = this.#text('acme-rabbitmq', 'definitions.json');
    if (this.#mounts.at(-1)?.definitions !== definitions) this.#mounts.push({ at: this.#now(), definitions });
  }

  #text(name: string, key: string): string {
    const secret = this.objects.get(`Secret/${name}`) as Secret | undefined;
    return Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
  }

  #now(): number {
    return Date.now() + this.#aheadMs;
  }

  #scope(): Scope {
    const annotations = this.request === undefined ? {} : { 'isp.support/rotate-rabbitmq-password': this.request };
    const pods = this.#driver.nodes.map(({ name, uid, host, startedAt }) =>
      cached<Pod>({ apiVersion: 'v1', kind: 'Pod', metadata: { name } } as Pod, 'rabbitmq', {
        metadata: { uid },
        status: { podIP: host, conditions: [{ type: 'Ready', status: startedAt === undefined ? 'False' : 'True' }] },
      }),
    );
    const scope = scopeOf({ annotations, objects: [...this.objects.values(), ...pods] });
    return { ...scope, probes: this.#board.results(KEY), now: new Date(this.#now()) };
  }
}

function loginIn(url: string): Login {
  const { username, password } = new URL(url);
  return { username, password };
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.name}`;
}
