import type { Pod, Secret, StatefulSet } from '../../../operator/kube/resources.ts';
import type { KubeObject } from '../../../operator/kube/types.ts';
import type { Action, Scope } from '../../../operator/platform/core/component.ts';
import { cached, scopeOf } from '../../../operator/platform/core/testing/scope.ts';
import { credentialsComponent } from '../../../operator/platform/credentials/component.ts';
import { type OpenRedis, openRedis, openWithAny } from '../../../operator/platform/redis/client.ts';
import type { Address } from '../../../operator/platform/redis/cluster-nodes.ts';
import { carryOut } from '../../../operator/platform/redis/password/act.ts';
import { isPasswordAction } from '../../../operator/platform/redis/password/actions.ts';
import { passwordProbeName, passwordRotationOf } from '../../../operator/platform/redis/password/facts.ts';
import { askPasswords } from '../../../operator/platform/redis/password/reading.ts';
import { passwordsOf, REDIS_LOGIN } from '../../../operator/platform/redis/password/secrets.ts';
import { withRotation } from '../../../operator/platform/redis/password/status.ts';
import type { Part } from '../../../operator/platform/redis/sentinel/names.ts';
import { systemClock } from '../../../operator/runtime/clock.ts';
import { AUTH, PASSWORD } from './processes.ts';

/** A server that runs somewhere, in the place of a pod. */
interface Server {
  readonly name: string;
  readonly part?: Part;
  readonly address: Address | undefined;
  auth: string;
  kill(): Promise<void>;
  start(keepPort: boolean): Promise<void>;
}

/** A kubelet follows a Secret within this time. */
const MOUNT_MS = 90_000;
const STEP_MS = 5_000;

/**
 * The operator's part in a rotation over real servers, with the objects of a platform kept here: what it decides is decided each time
 * from these and from what the servers say, and it may end after any write.
 */
export class Rotation {
  readonly #servers: readonly Server[];
  readonly #mode: 'cluster' | 'sentinel';
  readonly #objects = new Map<string, KubeObject>();
  readonly #mounts: { readonly at: number; readonly auth: string }[] = [{ at: 0, auth: AUTH }];
  readonly #credentials = credentialsComponent((length) => {
    this.#drawn += 1;
    return String(this.#drawn).padStart(length, 'x');
  });
  #drawn = 0;
  #nowMs = Date.parse('2026-01-01T00:00:00Z');
  request: string | undefined;
  /** Says whether the operator ends before its next write. */
  endsNow: () => boolean = () => false;

  constructor(mode: 'cluster' | 'sentinel', servers: readonly Server[]) {
    this.#mode = mode;
    this.#servers = servers;
    for (const [name, pods] of Map.groupBy(servers, (server) => server.name.replace(/-\d+$/, ''))) {
      const labels = labelsOf(pods[0]?.part);
      const spec = { replicas: pods.length } as StatefulSet['spec'];
      this.#put(
        cached<StatefulSet>({ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name } }, 'redis', {
          metadata: { labels },
          spec,
        }),
      );
    }
    for (const [i, { name, part }] of servers.entries())
      this.#put(
        cached<Pod>({ apiVersion: 'v1', kind: 'Pod', metadata: { name } }, 'redis', {
          metadata: { labels: labelsOf(part) },
          status: { podIP: hostOf(i) },
        }),
      );
    this.#bootstrap();
  }

  /** The password that the application's pods have. */
  get inUse(): string {
    const uri = this.#podUri;
    return new URL(uri).password;
  }

  /** The password that a new client gets. */
  get inForce(): string {
    return passwordsOf(this.#scope({}))[0] ?? '';
  }

  get objects(): ReadonlyMap<string, KubeObject> {
    return this.#objects;
  }

  #podUri = '';

  /** One reconcile, some time after the last. Gives what the status and the condition say. */
  async step() {
    this.#nowMs += STEP_MS;
    const scope = this.#scope(await this.#ask());
    const base = {
      objects: [],
      status: { redis: { mode: this.#mode, state: 'ok', masters: 1, replicas: 1, slotsAssigned: 0 } },
    };
    const condition = { status: 'True' as const, reason: 'Healthy', message: 'all is well' };
    const plan = withRotation(scope, { ...base, condition }, passwordRotationOf(scope));
    try {
      this.#write(scope);
      for (const action of plan.actions ?? []) await this.#act(action, scope);
    } catch (error) {
      // It ends, or is refused, and the next one decides anew.
      if (!(error instanceof Error)) throw error;
    }
    return { rotation: plan.status?.redis?.passwordRotation, condition: plan.condition };
  }

  /** The application's pods are replaced by ones with what its Secret has now. */
  replacePods(): void {
    const secret = this.#objects.get('Secret/acme-app') as Secret;
    this.#podUri = Buffer.from(secret.data?.['REDIS_URL'] ?? '', 'base64').toString();
    const login = secret.metadata.annotations?.[REDIS_LOGIN];
    const annotations = login === undefined ? {} : { [REDIS_LOGIN]: login };
    this.#put(
      cached<Pod>({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'acme-api-1' } }, 'api', {
        metadata: { annotations },
      }),
    );
  }

  /** A container that ends and starts with what its kubelet has mounted by now. */
  async restart(server: Server): Promise<void> {
    const mounted = this.#mounts.findLast(({ at }) => at <= this.#nowMs - MOUNT_MS);
    server.auth = mounted?.auth ?? AUTH;
    await server.kill();
    await server.start(true);
  }

  #bootstrap(): void {
    const secrets = this.#credentials.plan(this.#scope({}), []).creates ?? [];
    for (const secret of secrets as Secret[])
      this.#put(cached(withFirstPassword(secret), secret.metadata.name === 'acme-app' ? 'api' : 'credentials'));
    const [app] = (this.#credentials.plan(this.#scope({}), []).creates ?? []) as Secret[];
    if (app !== undefined) this.#put(cached(app, 'api'));
    this.replacePods();
  }

  #write(scope: Scope): void {
    const { creates = [], objects, remove = [] } = this.#credentials.plan(scope, []);
    for (const object of [...creates.filter((one) => !this.#objects.has(keyOf(one))), ...objects]) {
      if (this.endsNow()) throw new Error('the operator ends');
      this.#put(cached(object as Secret, 'credentials', { metadata: { annotations: object.metadata.annotations } }));
    }
    for (const { ref } of remove) {
      if (this.endsNow()) throw new Error('the operator ends');
      this.#objects.delete(`${ref.resource.kind}/${ref.name}`);
    }
  }

  #put(object: KubeObject): void {
    this.#objects.set(keyOf(object), object);
    const auth = (object as Secret).data?.['auth.conf'];
    if (auth !== undefined) this.#mounts.push({ at: this.#nowMs, auth: Buffer.from(auth, 'base64').toString() });
  }

  async #act(action: Action, scope: Scope): Promise<void> {
    if (!isPasswordAction(action)) throw new TypeError(`not expected: ${action.type}`);
    if (this.endsNow()) throw new Error('the operator ends');
    const [password = '', ...others] = passwordsOf(scope);
    const tools = { open: openWithAny(this.#open, others), password, clock: systemClock };
    await carryOut(action, tools, AbortSignal.timeout(2000));
  }

  async #ask(): Promise<Record<string, unknown>> {
    const [password = '', ...others] = passwordsOf(this.#scope({}));
    const open = openWithAny(this.#open, others);
    const answers = await Promise.all(
      this.#servers.map(async ({ name, part = 'server' }, i) => {
        const client = open({ host: hostOf(i), port: 0 }, password);
        const answer = await askPasswords(client, part, AbortSignal.timeout(1000));
        client.close();
        return [passwordProbeName(name), { uid: `uid-${name}`, host: hostOf(i), answer }];
      }),
    );
    return Object.fromEntries(answers);
  }

  readonly #open: OpenRedis = ({ host }, password) => {
    const server = this.#servers.find((_, i) => hostOf(i) === host);
    if (server?.address === undefined) throw new Error(`there is nothing at ${host}`);
    return openRedis(server.address, password);
  };

  #scope(probes: Record<string, unknown>): Scope {
    const annotations = this.request === undefined ? {} : { 'isp.support/rotate-redis-password': this.request };
    const spec = { redis: { mode: this.#mode } };
    const scope = scopeOf({ spec, probes, annotations, objects: [...this.#objects.values()] });
    return { ...scope, now: new Date(this.#nowMs) };
  }
}

function withFirstPassword(secret: Secret): Secret {
  if (secret.metadata.name !== 'acme-redis') return secret;
  const encode = (text: string) => Buffer.from(text).toString('base64');
  const data = {
    password: encode(PASSWORD),
    uri: encode(`redis://:${PASSWORD}@acme-redis.support.svc:6379/0`),
    'auth.conf': encode(AUTH),
  };
  return { ...secret, data };
}

function labelsOf(part: Part | undefined): Record<string, string> {
  return { 'isp.support/component': 'redis', ...(part === undefined ? {} : { 'isp.support/redis-part': part }) };
}

function hostOf(i: number): string {
  return `10.0.0.${i + 1}`;
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.name}`;
}
