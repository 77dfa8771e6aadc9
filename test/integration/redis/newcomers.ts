import { setTimeout as sleep } from 'node:timers/promises';
import { openRedis } from '../../../operator/platform/redis/client.ts';
import type { Address } from '../../../operator/platform/redis/cluster-nodes.ts';

interface Server {
  readonly name: string;
  readonly address: Address | undefined;
}

/** Clients that log in anew all the time, each with one of the passwords that they may have. */
export class Newcomers {
  readonly #servers: readonly Server[];
  readonly #stop = new AbortController();
  #done: Promise<void> = Promise.resolve();
  served = 0;
  /** What those were told that a server did not let in. */
  readonly refused: string[] = [];

  constructor(servers: readonly Server[]) {
    this.#servers = servers;
  }

  start(passwords: () => readonly string[]): void {
    this.#done = this.#run(passwords);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  /** Whether a server lets somebody in with this password. */
  async isTaken(address: Address | undefined, password: string): Promise<boolean> {
    if (address === undefined) throw new Error('there is no server');
    return (await this.#try(address, password)) === undefined;
  }

  /** Comes to a server that has just started before anybody can have told it anything. */
  async meet(server: Server, passwords: readonly string[]): Promise<void> {
    for (const password of passwords) while (!(await this.#visit(server, password))) await sleep(5);
  }

  async #run(passwords: () => readonly string[]): Promise<void> {
    while (!this.#stop.signal.aborted) {
      for (const server of this.#servers) for (const password of passwords()) await this.#visit(server, password);
      await sleep(5);
    }
  }

  /** Whether there was a server that let it in or did not. */
  async #visit({ name, address }: Server, password: string): Promise<boolean> {
    const problem = address === undefined ? 'nowhere' : await this.#try(address, password);
    const isRefused = /^(WRONGPASS|NOAUTH)/.test(problem ?? '');
    if (problem === undefined) this.served += 1;
    if (isRefused) this.refused.push(`${name}: ${problem}`);
    return problem === undefined || isRefused;
  }

  async #try(address: Address, password: string): Promise<string | undefined> {
    const client = openRedis(address, password);
    try {
      const [reply] = await client.send([['PING']], AbortSignal.timeout(1000));
      return reply instanceof Error ? reply.message : undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      client.close();
    }
  }
}
