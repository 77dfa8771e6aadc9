import type { RandomString } from '../core/random.ts';
import { managementAddress, type NodeAddress } from './address.ts';
import type { Repair } from './definitions.ts';
import { DefinitionsClient } from './definitions-client.ts';
import { type Kept, TAGS } from './found-definitions.ts';
import type { Login } from './management-http.ts';
import { hashPassword, SALT_LENGTH } from './password-hash.ts';
import { POLICY } from './policy.ts';

const EVERYTHING = { configure: '.*', write: '.*', read: '.*' };

/**
 * Puts one definition right through a node, the one that the action names. What it takes comes from the Secrets, not from the action, which is logged.
 *
 * @throws ManagementError when the node does not do it
 */
export async function repair(
  action: Repair,
  node: NodeAddress,
  kept: Kept,
  random: RandomString,
  signal: AbortSignal,
): Promise<void> {
  const client = new DefinitionsClient({ ...managementAddress(node), ...kept });
  switch (action.type) {
    case 'rabbitmq.ensure-vhost': {
      await client.putVhost(kept.vhost, 'quorum', signal);
      await client.putPermissions(kept.vhost, kept.username, EVERYTHING, signal);
      return;
    }
    case 'rabbitmq.restore-user': {
      const login = action.user === 'application' ? kept : kept.second;
      if (login === undefined) throw new Error("the Secret with the operator's password is gone");
      await putUser(client, login, random, signal);
      return;
    }
    case 'rabbitmq.admit-user': {
      const { username, password } = kept.other ?? {};
      if (username === undefined || password === undefined) throw new Error('the Secret with the other login is gone');
      await putUser(client, { username, password }, random, signal);
      await client.putPermissions(kept.vhost, username, EVERYTHING, signal);
      return;
    }
    case 'rabbitmq.revoke-user':
      if (action.username === kept.username) throw new Error(`${action.username} has become the one that logs in`);
      await client.deleteUser(action.username, signal);
      return;
    case 'rabbitmq.restore-policy':
      await client.putPolicy(kept.vhost, POLICY, action.policy, signal);
      return;
    default:
      throw new TypeError(`RabbitMQ knows no action ${(action satisfies never as { type: string }).type}`);
  }
}

async function putUser(
  client: DefinitionsClient,
  { username, password }: Login,
  random: RandomString,
  signal: AbortSignal,
): Promise<void> {
  await client.putUser(username, hashPassword(password, random(SALT_LENGTH)), TAGS, signal);
}
