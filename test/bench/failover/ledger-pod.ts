import type { KubeClient } from '../../../operator/kube/client.ts';
import type { Pod } from '../../../operator/kube/resources.ts';
import { ProgramPod } from '../in-cluster/program-pod.ts';
import type { Subject } from './subject.ts';

/** What the ledger says of the time since a moment; gaps in seconds. */
export interface LedgerReport {
  /** The longest gap of the clients that keep their connection, and of those that open one for each write. */
  readonly old: number;
  readonly new: number;
  readonly acknowledged: number;
  readonly lost: number;
  /** The most members at once that said that they were the primary, and that took a write. */
  readonly claiming: number;
  readonly writing: number;
}

/** The writers, in a pod on the node of the last member. */
export class LedgerPod {
  readonly #subject: Subject;
  readonly #program: ProgramPod;

  constructor(client: KubeClient, subject: Subject) {
    this.#subject = subject;
    this.#program = new ProgramPod(client, subject.namespace, 'ledger', 'test/bench/failover/ledger.ts');
  }

  async start(): Promise<void> {
    const home = await this.#subject.pod(this.#subject.member(2));
    const [app, admin] = [await this.#subject.secret('postgres'), await this.#subject.secret('postgres-admin')];
    const env = {
      PGURL: app['uri'],
      MEMBERS: this.#subject.membersHost,
      MEMBER_PASSWORD: admin['superuser-password'],
    };
    await this.#program.start({ node: home?.spec?.nodeName, env });
    await this.since(Date.now());
  }

  async node(): Promise<string | undefined> {
    return await this.#program.node();
  }

  /** Leaves no room on the volume of this member. */
  async fill({ status }: Pod): Promise<void> {
    await this.#program.ask(`fill=${status?.podIP ?? ''}`);
  }

  /** Stops the postmaster of this member for a minute. */
  async wedge({ status }: Pod): Promise<void> {
    await this.#program.ask(`wedge=${status?.podIP ?? ''}`);
  }

  /** @param time milliseconds since the epoch */
  async since(time: number): Promise<LedgerReport> {
    return await this.#program.told<LedgerReport>(`since=${time}`);
  }
}
