import type { Clock } from '../../../runtime/clock.ts';
import type { ProbeDefinition } from '../../core/component.ts';
import { managementAddress, type NodeAddress } from '../address.ts';
import { askNodes } from '../ask-nodes.ts';
import type { Logins } from '../found-definitions.ts';
import { ManagementClient } from '../management.ts';
import { meansOf } from '../probe.ts';

export const LAST_CLIENTS_PROBE = 'rabbitmq/last-clients';
const INTERVAL_MS = 5_000;
const REQUEST_TIMEOUT_MS = 3_000;

/** Who is connected with the login that is to be revoked, on any node. */
export interface LastClients {
  /** Each by a name that stays the same, in order; absent where nobody could say. */
  readonly names?: readonly string[];
  /** Since when nobody was seen, ISO 8601; absent while somebody is. */
  readonly quietSince?: string;
}

/** Asks the nodes, one after the other until one answers for all. Wanted only while it matters, since the answer has every connection in it. */
export function lastClientsProbe(
  nodes: readonly NodeAddress[],
  credentials: Logins,
  username: string,
  clock: Clock,
): ProbeDefinition<LastClients> {
  const clients = nodes.map(
    (node) => new ManagementClient({ ...managementAddress(node), ...credentials, timeoutMs: REQUEST_TIMEOUT_MS }),
  );
  let quietSince: string | undefined;
  return {
    name: LAST_CLIENTS_PROBE,
    component: 'rabbitmq',
    intervalMs: INTERVAL_MS,
    timeoutMs: nodes.length * REQUEST_TIMEOUT_MS,
    // Of other nodes nobody knows yet who was there.
    target: `${nodes.map(({ host }) => host).join(' ')} ${username}`,
    means: meansOf(credentials, nodes),
    async run(signal) {
      const names = await askNodes(clients, (client) => client.clientsOf(username, signal), signal);
      // Nobody knows who was there while nobody answered.
      if (names === undefined || names.length > 0) quietSince = undefined;
      else quietSince ??= clock.now().toISOString();
      return { ...(names === undefined ? {} : { names }), ...(quietSince === undefined ? {} : { quietSince }) };
    },
    successful: ({ names }) => names !== undefined,
  };
}
