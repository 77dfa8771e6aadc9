import type { Action, ActionContext } from '../core/component.ts';
import { DATABASE, POSTGRES_PORT } from '../postgres/names.ts';
import { failed } from '../postgres/problem.ts';
import type { SqlTarget } from '../postgres/sql-session.ts';
import { consolePasswordOf } from './credentials.ts';
import { CONSOLE_DATABASE, CONSOLE_USER, poolerConfigName } from './names.ts';
import { renew, resume } from './renew.ts';

interface Target {
  /** Name of its Deployment; the pods' own are random. */
  readonly pooler: string;
  readonly address: string;
}

export interface RenewTarget extends Target {
  /** When the present primary took over, ISO 8601; absent where connections in use are left alone. */
  readonly since?: string;
}

/** Has poolers give up the server connections that they have, see renew.ts. */
interface RenewPoolers extends Action {
  readonly type: 'pooler.renew';
  readonly pods: readonly RenewTarget[];
}

/** Lets the clients go on of poolers that were told to have them wait. */
interface ResumePoolers extends Action {
  readonly type: 'pooler.resume';
  readonly pods: readonly Target[];
}

export type PoolerAction = RenewPoolers | ResumePoolers;

/** The next reconcile waits for it, and a pooler that is slow to answer will be asked again. */
const ACTION_TIMEOUT_MS = 1_500;

/** Carries out one action on all its pods at once; idempotent and bounded to 1.5 s. */
export async function act(action: Action, { scope, signal }: ActionContext): Promise<void> {
  const password = consolePasswordOf(scope);
  if (password === undefined) throw new Error(`Secret ${poolerConfigName(scope.platform)} has no console password`);
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(ACTION_TIMEOUT_MS)]);
  const known = action as PoolerAction;
  const each = known.pods.map(async ({ pooler, address, ...more }: RenewTarget) => {
    const console = consoleOf(address, password);
    try {
      if (known.type === 'pooler.resume') await resume(console, DATABASE, bounded);
      else await renew(console, DATABASE, more.since === undefined ? undefined : new Date(more.since), bounded);
    } catch (error) {
      const answer = failed(error, bounded);
      throw new Error(`${pooler}: ${answer.ok ? '' : answer.detail}`, { cause: error });
    }
  });
  // One that does not answer must not keep the others from being done.
  await Promise.allSettled(each);
  await Promise.all(each);
}

export function consoleOf(address: string, password: string): SqlTarget {
  return { host: address, port: POSTGRES_PORT, database: CONSOLE_DATABASE, user: CONSOLE_USER, password };
}
