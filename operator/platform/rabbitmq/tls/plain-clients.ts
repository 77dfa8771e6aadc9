import type { ProbeDefinition } from '../../core/component.ts';
import { managementAddress, type NodeAddress } from '../address.ts';
import { askNodes } from '../ask-nodes.ts';
import type { Logins } from '../found-definitions.ts';
import { ManagementClient } from '../management.ts';
import { meansOf } from '../probe.ts';

export const PLAIN_CLIENTS_PROBE = 'rabbitmq/plain-clients';
const INTERVAL_MS = 5_000;
const REQUEST_TIMEOUT_MS = 3_000;

/** Who is connected without TLS, on any node. */
export interface PlainClients {
  /** Each by a name that stays the same, in order; absent where nobody could say. */
  readonly names?: readonly string[];
}

/** Asks the nodes, one after the other until one answers for all. Wanted only while it matters, since the answer has every connection in it. */
export function plainClientsProbe(nodes: readonly NodeAddress[], credentials: Logins): ProbeDefinition<PlainClients> {
  const clients = nodes.map(
    (node) => new ManagementClient({ ...managementAddress(node), ...credentials, timeoutMs: REQUEST_TIMEOUT_MS }),
  );
  return {
    name: PLAIN_CLIENTS_PROBE,
    component: 'rabbitmq',
    intervalMs: INTERVAL_MS,
    timeoutMs: nodes.length * REQUEST_TIMEOUT_MS,
    target: nodes.map(({ host }) => host).join(' '),
    means: meansOf(credentials, nodes),
    async run(signal) {
      const names = await askNodes(clients, (client) => client.plainClients(signal), signal);
      return names === undefined ? {} : { names };
    },
    successful: ({ names }) => names !== undefined,
  };
}
