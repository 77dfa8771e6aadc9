import { dirname, join } from 'node:path/posix';
import { type Pod, resources } from '../../../kube/resources.ts';
import type { Action, ComponentPlan, Scope } from '../../core/component.ts';
import type { Address } from '../cluster-nodes.ts';
import type { ActTools } from '../connections.ts';
import { run } from '../connections.ts';
import { REDIS_PORT } from '../names.ts';
import { tlsReadingOf, wantedTls } from './wanted.ts';

/** Has a server read its files anew, once the kubelet has brought them. Who has the password is a server of this platform. */
export interface LoadAction extends Action {
  readonly type: 'redis-tls.load';
  readonly pod: string;
  readonly address: Address;
  readonly settings: Readonly<Record<string, string>>;
}

export function isTlsAction(action: Action): action is LoadAction {
  return action.type === 'redis-tls.load';
}

/** A kubelet brings changed files within two minutes. */
const TRY_AGAIN_MS = 5000;

/** Pure: the plan of Redis with the servers told that show another certificate than the one in the Secret, or have read another bundle. */
export function withCertificates(scope: Scope, plan: ComponentPlan): ComponentPlan {
  const wanted = wantedTls(scope);
  if (wanted === undefined) return plan;
  const loads = scope.children.list<Pod>(resources.pods, 'redis').flatMap((pod): LoadAction[] => {
    const host = pod.status?.podIP;
    const reading = tlsReadingOf(scope, pod);
    if (host === undefined || reading?.files === undefined) return [];
    const { certificate, bundle } = reading.files;
    const file = join(dirname(bundle), wanted.bundle);
    if (reading.presented === wanted.certificate && bundle === file) return [];
    const settings = { 'tls-ca-cert-file': file, 'tls-cert-file': certificate };
    return [{ type: 'redis-tls.load', pod: pod.metadata.name, address: { host, port: REDIS_PORT }, settings }];
  });
  if (loads.length === 0) return plan;
  return {
    ...plan,
    actions: [...(plan.actions ?? []), ...loads],
    requeueAfterMs: Math.min(plan.requeueAfterMs ?? TRY_AGAIN_MS, TRY_AGAIN_MS),
  };
}

/**
 * Carries out one action, which is harmless where it was done before. The engine reads all of its files whenever it is told one of them,
 * and goes on with what it had where one is not there yet, or is not the other's key: that is the kubelet's turn.
 * @throws {Error} what else the server or the network said.
 */
export async function carryOut({ address, settings }: LoadAction, tools: ActTools, signal: AbortSignal): Promise<void> {
  const client = tools.open(address, tools.password);
  try {
    await run(client, [['CONFIG', 'SET', ...Object.entries(settings).flat()]], signal, NOT_YET);
  } finally {
    client.close();
  }
}

const NOT_YET = /Unable to update TLS configuration/;
