import { setTimeout as pause } from 'node:timers/promises';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { type Pod, resources } from '../../../operator/kube/resources.ts';
import { leadingOperator, SYSTEM } from '../in-cluster/operator.ts';
import type { LedgerPod } from './ledger-pod.ts';
import type { Subject } from './subject.ts';

/** Brings primary, writers and the operator's leader together on a node, or apart, by moving whatever is in the wrong place. */
export class Placement {
  readonly #client: KubeClient;
  readonly #subject: Subject;
  readonly #ledger: LedgerPod;

  constructor(client: KubeClient, subject: Subject, ledger: LedgerPod) {
    this.#client = client;
    this.#subject = subject;
    this.#ledger = ledger;
  }

  /** The primary, on another node than the writers. */
  async awayFromLedger(): Promise<Pod> {
    const pod = await this.#subject.primary();
    return pod.spec?.nodeName === (await this.#ledger.node()) ? await this.#subject.switchOver(pod) : pod;
  }

  /** The primary, on another node than the writers, and with the operator's leader beside it, or not. */
  async besideLeader(wanted: boolean): Promise<Pod> {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const [pod, leading] = [await this.awayFromLedger(), await leadingOperator(this.#client)];
      if ((leading.spec?.nodeName === pod.spec?.nodeName) === wanted) return pod;
      await this.#client.delete({ resource: resources.pods, namespace: SYSTEM, name: leading.metadata.name });
      await pause(5_000);
      await this.#subject.whole();
      if (attempt % 2 === 1) await this.#subject.switchOver(pod);
    }
    throw new Error('the leader and the primary cannot be brought together or apart');
  }
}
