import type { KubeClient } from '../kube/client.ts';
import { resources } from '../kube/resources.ts';
import type { ObjectRef } from '../kube/types.ts';
import { annotations } from '../platform/core/names.ts';
import type { Platform, SwitchoverStatus } from '../platform/core/platform.ts';
import type { SwitchoverCommand } from './arguments.ts';
import { NotFoundError, type Outcome } from './status-command.ts';

/** Longer than the operator gives Patroni. */
const PATIENCE_MS = 90_000;
const POLL_MS = 500;

interface Timekeeper {
  now(): Date;
  sleep(ms: number): Promise<unknown>;
}

/** Asks for the move by the annotation, as anybody can, and waits for what the status says of it. */
export async function switchover(
  client: Pick<KubeClient, 'get' | 'patch'>,
  { name, to = 'any' }: SwitchoverCommand,
  namespace: string,
  clock: Timekeeper,
): Promise<Outcome> {
  const ref: ObjectRef = { resource: resources.platforms, namespace, name };
  if ((await client.get<Platform>(ref)) === undefined)
    throw new NotFoundError(`there is no platform ${name} in namespace ${namespace}`);
  const request = `${to}/${clock.now().toISOString()}`;
  await client.patch(ref, {
    type: 'merge',
    body: { metadata: { annotations: { [annotations.switchover]: request } } },
  });
  for (let waited = 0; waited <= PATIENCE_MS; waited += POLL_MS) {
    const last = (await client.get<Platform>(ref))?.status?.lastSwitchover;
    if (last?.request === request && last.finishedAt !== undefined) return outcomeOf(last);
    await clock.sleep(POLL_MS);
  }
  throw new Error('the operator has not answered; is it running?');
}

function outcomeOf({ outcome, from, to, message }: SwitchoverStatus): Outcome {
  if (outcome !== 'Succeeded') return { text: `${outcome}: ${message ?? 'no reason given'}`, exitCode: 1 };
  return { text: message ?? `${to} took over from ${from}`, exitCode: 0 };
}
