import type { ProbeDefinition } from '../../core/component.ts';
import { shortHash } from '../../core/hash.ts';
import { AmqpCheck, type AmqpProblem } from '../amqp-check.ts';
import { turnId } from '../found-definitions.ts';
import type { Login } from '../management-http.ts';
import { VHOST } from '../names.ts';
import type { NodeTarget } from '../probe.ts';

const INTERVAL_MS = 2_000;
const TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 3_000;

/** Whether a node lets the next login in, which pod was asked, and about which login. */
export interface NextLoginAnswer {
  readonly uid: string;
  readonly id: string;
  /** Why it does not; absent when it does. */
  readonly problem?: AmqpProblem;
}

export function nextLoginProbeName(pod: string): string {
  return `rabbitmq/next-login/${pod}`;
}

/** Logs in as the application will: the only way to see that it can. */
export function nextLoginProbe(
  { pod, uid, ...node }: NodeTarget,
  { username, password }: Login,
): ProbeDefinition<NextLoginAnswer> {
  const id = turnId({ username, password });
  const amqp = new AmqpCheck({ ...node, username, password, vhost: VHOST }, REQUEST_TIMEOUT_MS);
  return {
    name: nextLoginProbeName(pod),
    component: 'rabbitmq',
    intervalMs: INTERVAL_MS,
    timeoutMs: TIMEOUT_MS,
    target: `${uid} ${node.host} ${id}`,
    means: shortHash(node.trust ?? ''),
    async run(signal) {
      const problem = await amqp.problem(signal);
      return { uid, id, ...(problem === undefined ? {} : { problem }) };
    },
    successful: ({ problem }) => problem === undefined,
    close: () => amqp.close(),
  };
}
