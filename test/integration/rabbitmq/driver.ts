import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigMap, Job, Pod, Secret, StatefulSet } from '../../../operator/kube/resources.ts';
import type { Action, ActionContext, ComponentPlan } from '../../../operator/platform/core/component.ts';
import type { EffectivePlatform } from '../../../operator/platform/core/effective.ts';
import { encodeSecret } from '../../../operator/platform/core/secrets.ts';
import { cached, scopeOf } from '../../../operator/platform/core/testing/scope.ts';
import { managementAddress, type NodeAddress } from '../../../operator/platform/rabbitmq/address.ts';
import { rabbitmqComponent } from '../../../operator/platform/rabbitmq/component.ts';
import { rabbitmqAdminSecret, rabbitmqSecret } from '../../../operator/platform/rabbitmq/credentials.ts';
import { decide } from '../../../operator/platform/rabbitmq/decide.ts';
import { DefinitionsClient } from '../../../operator/platform/rabbitmq/definitions-client.ts';
import { ManagementClient } from '../../../operator/platform/rabbitmq/management.ts';
import type { ManagementOptions } from '../../../operator/platform/rabbitmq/management-http.ts';
import { type MembershipJob, membershipScript } from '../../../operator/platform/rabbitmq/membership-job.ts';
import { LEFT_ANNOTATION, MEMBER_ANNOTATION, USER } from '../../../operator/platform/rabbitmq/names.ts';
import {
  type Claim,
  credentialsOf,
  type Observed,
  type RabbitmqPod,
} from '../../../operator/platform/rabbitmq/observe.ts';
import {
  type Credentials,
  clusterProbe,
  type NodeAnswer,
  nodeProbe,
} from '../../../operator/platform/rabbitmq/probe.ts';
import { platform } from '../../../operator/platform/rabbitmq/testing/fixtures.ts';
import {
  type Listening,
  listeningOf,
  tlsAnnotations,
  tlsSecretName,
} from '../../../operator/platform/rabbitmq/tls/names.ts';
import { resolve } from '../../../operator/platform/schema/effective.ts';
import { run, scratch } from '../../api/support/daemon.ts';
import { hostOf, Machine, onMachine } from './machine.ts';
import { RabbitNode } from './nodes.ts';

export const PASSWORD = 'x'.repeat(32);

const images = {
  api: 'api',
  postgres: 'postgres',
  redis: 'redis',
  rabbitmq: 'rabbitmq',
  haproxy: 'haproxy',
  pgbouncer: 'pgbouncer',
};

const generated = rabbitmqSecret(platform, (length) => 'x'.repeat(length));
/** As the cluster is made with them. */
export const secrets = [generated, rabbitmqAdminSecret(platform, (length) => 'y'.repeat(length))].map(
  ({ name, values }) => secretOf(name, values),
);
const credentials = credentialsOf(scopeOf({ objects: secrets })) as Credentials;

function secretOf(name: string, values: Readonly<Record<string, string>>): Secret {
  const data = encodeSecret(values);
  return cached<Secret>({ apiVersion: 'v1', kind: 'Secret', metadata: { name } }, 'rabbitmq', { data });
}

/** The operator's loop for RabbitMQ over processes in the place of pods: ask, decide, carry out, again. */
export class Driver {
  readonly machine = new Machine();
  readonly nodes: RabbitNode[] = [];
  readonly claims = new Map<number, Claim>();
  /** Every step that the status has told of, in order. */
  readonly steps: string[] = [];
  /** Notes of the events that were told of, in order, each once in a row. */
  readonly notes: string[] = [];
  /** Pods of the newest template may be started anew. */
  mayRestart = false;
  readonly #home = scratch('rabbitmq-job');
  readonly #jobs = new Map<string, MembershipJob>();
  readonly #probes = new Map<string, ReturnType<typeof nodeProbe>>();
  #wanted: number;
  #replicas: number | undefined;
  #open = false;
  #listening: Listening | undefined;
  #template: Listening = 'plain';

  constructor(nodes: number) {
    this.#wanted = nodes;
  }

  get effective(): EffectivePlatform {
    return resolve({ customers: 100, rabbitmq: { nodes: this.#wanted } }, images);
  }

  async create(): Promise<void> {
    await this.machine.create(generated.values);
  }

  /** Ends its own connections to the nodes. */
  letGo(): void {
    for (const probe of this.#probes.values()) probe.close?.();
    this.#probes.clear();
  }

  async destroy(): Promise<void> {
    this.letGo();
    await Promise.all(this.nodes.map((node) => node.destroy()));
    await this.machine.destroy();
    rmSync(this.#home, { recursive: true, force: true });
  }

  scale(nodes: number): void {
    this.#wanted = nodes;
  }

  /** Has new pods listen in another way, and those that there are be replaced by such. */
  listen(listening: Listening): void {
    this.#listening = listening;
  }

  management(ordinal = 0): ManagementClient {
    return new ManagementClient(this.#managementOptions(ordinal));
  }

  definitions(ordinal = 0): DefinitionsClient {
    return new DefinitionsClient(this.#managementOptions(ordinal));
  }

  #managementOptions(ordinal: number): ManagementOptions {
    const node = this.nodes[ordinal];
    if (node === undefined) throw new Error(`there is no node ${ordinal}`);
    return { ...managementAddress(this.addressOf(node)), ...credentials, timeoutMs: 10_000 };
  }

  /** With TLS where the node has it. */
  addressOf({ host, ordinal, listening }: RabbitNode): NodeAddress {
    if (listening === 'plain') return { host };
    return { host, trust: { ca: this.machine.certificates.bundle, servername: hostOf(ordinal) } };
  }

  /** Runs one of RabbitMQ's own commands for a node. */
  async ctl(ordinal: number, ...args: string[]): Promise<void> {
    const node = onMachine(`rabbit@${hostOf(ordinal)}`);
    const cookie = join(this.machine.secret, 'erlang-cookie');
    const script = `umask 077; rm -f ~/.erlang.cookie; cat ${cookie} > ~/.erlang.cookie; exec rabbitmqctl --longnames "$@"`;
    const command = this.machine.inPod('bash', ['-c', script, 'ctl', '--node', node, ...args]);
    await run({ ...command, env: this.machine.env(this.#home), folder: this.#home });
  }

  /** Runs until a plan is as expected; gives that plan. */
  async until(what: string, done: (plan: ComponentPlan) => boolean, seconds = 240): Promise<ComponentPlan> {
    const deadline = performance.now() + seconds * 1000;
    let last: ComponentPlan | undefined;
    while (performance.now() < deadline) {
      last = decide(platform, this.effective, await this.#observe(), []);
      this.#note(last);
      if (done(last)) return last;
      await this.#carryOut(last);
      await sleep(300);
    }
    throw new Error(`no ${what} after ${seconds} s: ${JSON.stringify([last?.condition, last?.status])}`);
  }

  #note({ status, events = [] }: ComponentPlan): void {
    for (const { note } of events) if (this.notes.at(-1) !== note) this.notes.push(note);
    const { name, node } = status?.rabbitmq?.membership ?? {};
    const step = `${name} ${node}`;
    if (name !== undefined && this.steps.at(-1) !== step) this.steps.push(step);
  }

  async #carryOut({ objects, actions = [], creates = [], remove = [] }: ComponentPlan): Promise<void> {
    for (const object of objects) {
      if (object.kind === 'ConfigMap')
        for (const [file, text] of Object.entries((object as ConfigMap).data ?? {}))
          writeFileSync(join(this.machine.config, file), text);
      if (object.kind === 'PersistentVolumeClaim') this.#mark(object.metadata.name, object.metadata.annotations ?? {});
      if (object.kind === 'Service' && object.metadata.name === 'acme-rabbitmq')
        this.#open = !JSON.stringify(object).includes('forming');
    }
    const set = objects.find(({ kind }) => kind === 'StatefulSet') as StatefulSet;
    this.#template = listeningOf(set.metadata);
    await this.#scaleTo(set.spec?.replicas ?? 0);
    for (const action of actions) await this.#act(action);
    for (const job of creates) void this.#runJob(job as Job);
    for (const { ref } of remove) {
      const node = this.nodes.find(({ name }) => name === ref.name);
      if (ref.resource.kind === 'Job') this.#jobs.delete(ref.name);
      else if (node === undefined || (node.listening === this.#template && !this.mayRestart))
        throw new Error(`nobody expected that ${ref.name} would be removed`);
      // It is made anew at the next turn.
      else await node.stop();
    }
  }

  async #act(action: Action): Promise<void> {
    const pods = this.nodes.map(({ name, host, listening }) =>
      cached<Pod>({ apiVersion: 'v1', kind: 'Pod', metadata: { name } }, 'rabbitmq', {
        metadata: { annotations: tlsAnnotations(listening) },
        status: { podIP: host },
      }),
    );
    const leaf = secretOf(tlsSecretName(platform), { 'ca.crt': this.machine.certificates.bundle });
    const scope = scopeOf({ objects: [...secrets, leaf, ...pods] });
    const context = { scope, signal: AbortSignal.timeout(10_000) };
    await rabbitmqComponent.act?.(action, context as unknown as ActionContext);
  }

  #mark(name: string, annotations: Record<string, string>): void {
    const ordinal = Number(name.split('-').at(-1));
    const left = annotations[LEFT_ANNOTATION];
    const member = annotations[MEMBER_ANNOTATION] === 'true';
    this.claims.set(ordinal, { name, uid: name, ordinal, member, ...(left === undefined ? {} : { left }) });
  }

  async #scaleTo(replicas: number): Promise<void> {
    this.#replicas = replicas;
    for (let ordinal = this.nodes.length; ordinal < replicas; ordinal++) {
      this.nodes.push(new RabbitNode(this.machine, ordinal));
      this.#mark(`data-acme-rabbitmq-${ordinal}`, {});
    }
    for (const node of this.nodes)
      if (node.ordinal < replicas && !node.running) node.start(this.#template);
      else if (node.ordinal >= replicas && node.running) await node.stop();
  }

  async #runJob({ metadata: { name }, spec }: Job): Promise<void> {
    this.#jobs.set(name, { name, uid: name, state: 'running' });
    const [verb = '', through = '', pod = ''] = spec?.template.spec?.containers[0]?.command?.slice(3) ?? [];
    const script = membershipScript({ home: this.#home, secret: this.machine.secret });
    const args = ['-c', script, verb, onMachine(through), onMachine(pod)];
    const command = { ...this.machine.inPod('bash', args), env: this.machine.env(this.#home), folder: this.#home };
    const state = await run(command).then(
      () => 'succeeded' as const,
      () => 'failed' as const,
    );
    this.#jobs.set(name, { name, uid: name, state, finishedAt: new Date() });
  }

  async #observe(): Promise<Observed> {
    const nodes = this.nodes.filter((node) => node.running);
    const pods = await Promise.all(nodes.map((node) => this.#observePod(node)));
    const ready = pods.filter(({ answer }) => answer !== undefined && answer.members.length > 0);
    const asked = this.nodes
      .filter(({ name }) => ready.some((pod) => pod.name === name))
      .map((node) => this.addressOf(node));
    const signal = AbortSignal.timeout(20_000);
    const cluster = asked.length === 0 ? undefined : await clusterProbe(asked, credentials).run(signal);
    const { rabbitmq } = this.effective;
    return {
      wanted: rabbitmq,
      ...(this.#replicas === undefined
        ? {}
        : {
            live: {
              replicas: this.#replicas,
              storage: rabbitmq.storage,
              rolling: pods.some(({ outdated }) => outdated),
            },
          }),
      claims: [...this.claims.values()],
      pods,
      cluster,
      jobs: [...this.#jobs.values()],
      hasCredentials: true,
      user: USER,
      open: this.#open,
      ...(this.#listening === undefined ? {} : { tls: { listen: this.#listening, use: true } }),
      now: new Date(),
    };
  }

  async #observePod(node: RabbitNode): Promise<RabbitmqPod> {
    const { name, uid, ordinal, host, joining, startedAt } = node;
    const answer = joining ? undefined : await this.#ask(node);
    const ready = answer !== undefined && answer.amqpProblem === undefined;
    return {
      name,
      uid,
      ordinal,
      host,
      ready,
      deleting: false,
      joining,
      outdated: node.listening !== this.#template,
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(ready ? {} : { notReady: `pod ${name} is not ready` }),
      ...(answer === undefined ? {} : { answer }),
    };
  }

  async #ask(node: RabbitNode): Promise<NodeAnswer> {
    const { name, uid } = node;
    const wanted = nodeProbe({ pod: name, uid, ...this.addressOf(node) }, credentials);
    const last = this.#probes.get(uid);
    // As the operator's board of probes: one that means another is another, as when somebody else signs from now on.
    const probe = last !== undefined && last.means === wanted.means ? last : wanted;
    if (probe !== last) last?.close?.();
    this.#probes.set(uid, probe);
    return await probe.run(AbortSignal.timeout(10_000));
  }
}
