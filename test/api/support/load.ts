import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from './client.ts';

export interface Load {
  /** Ends it, and returns what was sent. */
  stop(): Promise<Ledger>;
}

export interface Ledger {
  /** Texts whose message the API has acknowledged. */
  acknowledged: string[];
  /** How often each status was answered; 0 for a broken connection. */
  statuses: Map<number, number>;
}

/** Sends messages one after another from `clients` senders; each tries a refused message again, with the same key. */
export function startLoad(client: Client, conversation: string, clients = 4): Load {
  const ledger: Ledger = { acknowledged: [], statuses: new Map() };
  let stopped = false;
  const post = async (text: string, key: string): Promise<number> => {
    try {
      return (await client.post(`/v1/conversations/${conversation}/messages`, { text }, key)).status;
    } catch {
      // A broken connection is a status too: the API was to answer.
      return 0;
    }
  };
  const send = async (): Promise<void> => {
    while (!stopped) {
      const text = `fatura ${randomUUID()}`;
      const key = randomUUID();
      for (let status = 0; status !== 201 && !stopped; ) {
        status = await post(text, key);
        ledger.statuses.set(status, (ledger.statuses.get(status) ?? 0) + 1);
        if (status === 201) ledger.acknowledged.push(text);
        await delay(20);
      }
    }
  };
  const senders = Array.from({ length: clients }, send);
  return {
    async stop() {
      stopped = true;
      await Promise.all(senders);
      return ledger;
    },
  };
}
