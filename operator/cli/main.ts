import { setTimeout as sleep } from 'node:timers/promises';
import { KubeClient } from '../kube/client.ts';
import { loadConfig } from '../kube/config.ts';
import { type Command, parseCommand, UsageError, usage } from './arguments.ts';
import { plan } from './plan-command.ts';
import { type Outcome, status } from './status-command.ts';
import { switchover } from './switchover-command.ts';

const CANNOT_SAY = 2;

interface Cluster {
  readonly client: KubeClient;
  readonly namespace: string;
}

async function run(args: readonly string[]): Promise<Outcome> {
  const command = parseCommand(args);
  if (command.command === 'help') return { text: usage, exitCode: 0 };
  let cluster: Cluster | undefined;
  const connect = (): Cluster => {
    cluster ??= connectTo(command);
    return cluster;
  };
  try {
    if (command.command === 'plan') return await plan(command, connect);
    const { client, namespace } = connect();
    if (command.command === 'switchover')
      return await switchover(client, command, namespace, { now: () => new Date(), sleep });
    return await status(client, command, namespace, new Date());
  } finally {
    await cluster?.client.close();
  }
}

function connectTo({ kubeconfig, namespace }: Exclude<Command, { command: 'help' }>): Cluster {
  const connection = loadConfig({ kubeconfig });
  return { client: new KubeClient(connection), namespace: namespace ?? connection.namespace ?? 'default' };
}

try {
  const { text, exitCode } = await run(process.argv.slice(2));
  console.log(text);
  process.exitCode = exitCode;
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  if (error instanceof UsageError) console.error(`\n${usage}`);
  process.exitCode = CANNOT_SAY;
}
