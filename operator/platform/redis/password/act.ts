import type { Command, RedisClient } from '../client.ts';
import { type ActTools, run } from '../connections.ts';
import { PRIMARY_NAME } from '../sentinel/names.ts';
import type { PasswordAction, PasswordTarget } from './actions.ts';
import { askPasswords } from './reading.ts';

/**
 * Carries out one action, which is harmless where it was done before.
 * @throws {Error} what the server or the network said.
 */
export async function carryOut(action: PasswordAction, tools: ActTools, signal: AbortSignal): Promise<void> {
  const { node } = action;
  const { password } = tools;
  const client = tools.open(node.address, password);
  try {
    switch (action.type) {
      case 'redis-password.accept':
        return await remembered(client, node, [acceptCommand(action.hashes)], signal);
      case 'redis-password.offer':
        return await run(client, offerCommands(node, password), signal);
      case 'redis-password.revoke':
        return await remembered(client, node, revokeCommands(node, password), signal);
    }
  } finally {
    client.close();
  }
}

function acceptCommand(hashes: readonly string[]): Command {
  return ['ACL', 'SETUSER', 'default', ...hashes.map((hash) => `#${hash}`)];
}

/** What tells that it was done comes last. */
function offerCommands({ part }: PasswordTarget, password: string): Command[] {
  if (part === 'server') return [['CONFIG', 'SET', 'masterauth', password]];
  return [
    ['SENTINEL', 'SET', PRIMARY_NAME, 'auth-pass', password],
    ['SENTINEL', 'CONFIG', 'SET', 'sentinel-pass', password],
  ];
}

function revokeCommands({ part }: PasswordTarget, password: string): Command[] {
  const alone: Command = ['ACL', 'SETUSER', 'default', 'resetpass', `>${password}`];
  // Which alone would change nothing where it is the same already; without it the last password would go on to be shown, and be written down.
  return part === 'server' ? [alone, ['CONFIG', 'SET', 'requirepass', password]] : [alone];
}

/**
 * Changes who is let in, and has that written down by whoever remembers: it is taken back where it cannot be, for what the server says
 * is taken for what it will say after a restart.
 */
async function remembered(
  client: RedisClient,
  node: PasswordTarget,
  changes: readonly Command[],
  signal: AbortSignal,
): Promise<void> {
  if (!node.remembers) return await run(client, changes, signal);
  const before = await askPasswords(client, node.part, signal);
  if (before.kind === 'problem') throw new Error(`${node.pod} ${before.message}`);
  const write: Command = node.part === 'server' ? ['CONFIG', 'REWRITE'] : ['SENTINEL', 'FLUSHCONFIG'];
  try {
    // In one go, so that nothing comes in between but the server's own end.
    await run(client, [...changes, write], signal);
  } catch (error) {
    const back = before.accepts.map((hash) => `#${hash}`);
    await run(client, [['ACL', 'SETUSER', 'default', 'resetpass', ...back]], signal);
    throw error;
  }
}
