import type { Pod, Secret, StatefulSet } from '../../../../kube/resources.ts';
import type { KubeObject } from '../../../../kube/types.ts';
import type { Action, Scope } from '../../../core/component.ts';
import { cached, scopeOf } from '../../../core/testing/scope.ts';
import { credentialsComponent } from '../../../credentials/component.ts';
import { type FoundTurn, type Turn, turnId } from '../../found-definitions.ts';
import type { Login } from '../../management-http.ts';
import { credentialsOf } from '../../observe.ts';
import { HASHING_ALGORITHM, hashPassword, isHashOf } from '../../password-hash.ts';
import { nodeProbeName } from '../../probe.ts';
import { healthyCluster } from '../../testing/fixtures.ts';
import { BROKER_LOGIN } from '../../tls/facts.ts';
import { loginToTry, passwordRotationOf, userToBeQuiet } from '../facts.ts';
import type { LastClients } from '../last-clients.ts';
import { nextLoginProbeName } from '../next-login.ts';
import { withRotation } from '../status.ts';

const NODES = ['acme-rabbitmq-0', 'acme-rabbitmq-1'];
const APPLICATION = ['acme-api-0', 'acme-api-1'];
const OLDEST_ANSWER_MS = 15_000;
const START_MS = Date.parse('2026-01-01T00:00:00Z');

/** What a node imports. */
interface Definitions {
  readonly users: readonly { readonly name: string; readonly password_hash: string }[];
}

/** A pod of the application, with what it read when it was made. */
interface ApplicationPod {
  readonly url: string;
  connected: boolean;
}

/**
 * A platform whose parts follow in their own time: the operator, which may end after any write; nodes, which import what their kubelet has brought when
 * they start; and the application's pods, which have what the Secret said when they were made. The operator's part is the real one.
 */
export class World {
  readonly objects = new Map<string, KubeObject>();
  /** Hashes of passwords by user: they belong to the cluster, whichever node is told. */
  users = new Map<string, string>();
  readonly pods = new Map<string, ApplicationPod>();
  request: string | undefined;
  /** Messages of the status, each once in a row. */
  readonly said: string[] = [];
  #nowMs = START_MS;
  #drawn = 0;
  #starts = 0;
  #probedMs = 0;
  #answers: Record<string, unknown> = {};
  readonly #secrets: { readonly at: number; readonly definitions: Definitions }[] = [];
  readonly #credentials = credentialsComponent((length) => {
    this.#drawn += 1;
    return String(this.#drawn).padStart(length, 'x');
  });

  constructor() {
    const set = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'acme-rabbitmq' } } as StatefulSet;
    this.#put(cached<StatefulSet>(set, 'rabbitmq', { spec: { replicas: NODES.length } }));
    this.#startNodes();
    this.#write(this.#scope(), 99);
    this.#write(this.#scope(), 99);
    for (const name of APPLICATION) this.replacePod(name);
    this.#import(0);
    this.probe();
  }

  get podNames(): readonly string[] {
    return APPLICATION;
  }

  /** Whether there was a rotation, and it has come to its end. */
  get isOver(): boolean {
    const notes = this.secret('acme-rabbitmq')?.metadata.annotations ?? {};
    const done = notes['isp.support/retired-for'];
    return done !== undefined && done === notes['isp.support/rotated-for'] && !('isp.support/password-step' in notes);
  }

  secret(name: string): Secret | undefined {
    return this.objects.get(`Secret/${name}`) as Secret | undefined;
  }

  /** Every login that somebody has who must not be refused. */
  logins(): Login[] {
    return [this.#url(), ...[...this.pods.values()].map(({ url }) => url)].map((url) => {
      const { username, password } = new URL(url);
      return { username, password };
    });
  }

  isValid({ username, password }: Login): boolean {
    return isHashOf(password, this.users.get(username) ?? '', HASHING_ALGORITHM);
  }

  /** @param lostAfter writes, after which the operator ends */
  reconcile(lostAfter: number): void {
    const scope = this.#scope();
    const condition = { status: 'True' as const, reason: 'Healthy', message: '' };
    const status = { rabbitmq: { runningNodes: NODES, quorumCritical: [] } };
    const plan = withRotation(scope, { objects: [], condition, status }, passwordRotationOf(scope));
    const { phase, message } = plan.status?.rabbitmq?.passwordRotation ?? {};
    const said = `${phase}: ${message}`;
    if (this.said.at(-1) !== said) this.said.push(said);
    const left = this.#write(scope, lostAfter);
    for (const action of left > 0 ? (plan.actions ?? []) : []) this.#act(action, scope);
  }

  /** Asks the engine what the operator wants to know now, and forgets what it does not. */
  probe(): void {
    this.#probedMs = this.#nowMs;
    const scope = this.#scope();
    const members = NODES.map((pod) => ({ pod, running: true, partitions: [], alarms: [] }));
    const other = credentialsOf(scope)?.other;
    const next = loginToTry(scope);
    const last = userToBeQuiet(scope);
    const before = this.#answers['rabbitmq/last-clients'] as LastClients | undefined;
    this.#answers = {
      'rabbitmq/cluster': { ...healthyCluster, ...(other === undefined ? {} : { other: this.#found(other) }) },
      ...(last === undefined ? {} : { 'rabbitmq/last-clients': this.#clientsOf(last, before) }),
    };
    for (const pod of NODES) {
      this.#answers[nodeProbeName(pod)] = { uid: this.#uidOf(pod), members };
      if (next === undefined) continue;
      const { username, password } = next;
      const problem = this.isValid(next) ? {} : { problem: { kind: 'password', message: '' } };
      const id = turnId({ username, password });
      this.#answers[nextLoginProbeName(pod)] = { uid: this.#uidOf(pod), id, ...problem };
    }
  }

  /** Nothing that was found is older than the slowest probe makes it. */
  pass(ms: number): void {
    this.#nowMs += ms;
    if (this.#nowMs - this.#probedMs > OLDEST_ANSWER_MS) this.probe();
  }

  /** A container that starts, with what its kubelet has brought by now. */
  restart(lagMs: number): void {
    this.#import(lagMs);
  }

  /** Every volume is lost, and so is every pod: nothing is left but what the next ones import. */
  wipe(lagMs: number): void {
    this.#startNodes();
    this.users = new Map();
    this.#import(lagMs);
  }

  replacePod(name: string): void {
    this.pods.set(name, { url: this.#url(), connected: true });
    const login = this.secret('acme-app')?.metadata.annotations?.[BROKER_LOGIN];
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name } } as Pod;
    this.#put(
      cached<Pod>(pod, 'api', { metadata: { annotations: login === undefined ? {} : { [BROKER_LOGIN]: login } } }),
    );
  }

  /** At the addresses of those before. */
  #startNodes(): void {
    this.#starts += 1;
    for (const [index, name] of NODES.entries())
      this.#put(
        cached<Pod>({ apiVersion: 'v1', kind: 'Pod', metadata: { name } } as Pod, 'rabbitmq', {
          metadata: { uid: this.#uidOf(name) },
          status: { podIP: `10.0.0.1${index}`, conditions: [{ type: 'Ready', status: 'True' }] },
        }),
      );
  }

  #uidOf(pod: string): string {
    return `${pod}-${this.#starts}`;
  }

  #url(): string {
    return Buffer.from(this.secret('acme-app')?.data?.['CELERY_BROKER_URL'] ?? '', 'base64').toString();
  }

  #import(lagMs: number): void {
    const mounted = this.#secrets.findLast(({ at }) => at <= this.#nowMs - lagMs) ?? this.#secrets[0];
    for (const { name, password_hash } of mounted?.definitions.users ?? []) this.users.set(name, password_hash);
  }

  #found(turn: Turn): FoundTurn {
    const { username, password = '' } = turn;
    const state = !this.users.has(username) ? 'missing' : this.isValid({ username, password }) ? 'valid' : 'password';
    return { id: turnId(turn), state };
  }

  #clientsOf(username: string, before: LastClients | undefined): LastClients {
    const pods = [...this.pods.values()].filter(
      ({ url, connected }) => connected && new URL(url).username === username,
    );
    if (pods.length > 0) return { names: [username] };
    return { names: [], quietSince: before?.quietSince ?? new Date(this.#nowMs).toISOString() };
  }

  /** Gives how many more writes there may be. */
  #write(scope: Scope, lostAfter: number): number {
    const { creates = [], objects, remove = [] } = this.#credentials.plan(scope, []);
    let left = lostAfter;
    for (const object of [...creates.filter((one) => !this.objects.has(keyOf(one))), ...objects]) {
      if (left <= 0) return 0;
      left -= 1;
      this.#apply(object as Secret);
    }
    for (const { ref } of remove) {
      if (left <= 0) return 0;
      left -= 1;
      this.objects.delete(`${ref.resource.kind}/${ref.name}`);
    }
    return left;
  }

  /** What an apply does not name stays, but for what an earlier one named. */
  #apply(object: Secret): void {
    const { annotations = {} } = object.metadata;
    const data = { ...this.secret(object.metadata.name)?.data, ...object.data };
    this.#put(cached<Secret>({ ...object, data }, 'credentials', { metadata: { annotations } }));
    const text = object.metadata.name === 'acme-rabbitmq' ? object.data?.['definitions.json'] : undefined;
    if (text === undefined) return;
    this.#secrets.push({ at: this.#nowMs, definitions: JSON.parse(Buffer.from(text, 'base64').toString()) });
  }

  #act(action: Action, scope: Scope): void {
    const { username, password } = credentialsOf(scope)?.other ?? {};
    if (username === undefined) throw new Error(`${action.type} is about nobody`);
    if (action.type === 'rabbitmq.revoke-user') this.users.delete(username);
    else if (password !== undefined) this.users.set(username, hashPassword(password, 'salt'));
  }

  #put(object: KubeObject): void {
    this.objects.set(keyOf(object), object);
  }

  #scope(): Scope {
    const annotations = this.request === undefined ? {} : { 'isp.support/rotate-rabbitmq-password': this.request };
    const scope = scopeOf({ objects: [...this.objects.values()], probes: this.#answers, annotations });
    return { ...scope, now: new Date(this.#nowMs) };
  }
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.name}`;
}
