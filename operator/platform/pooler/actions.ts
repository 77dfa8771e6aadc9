import type { Pod } from '../../kube/resources.ts';
import type { Action, ActionContext } from '../core/component.ts';
import { DATABASE } from '../postgres/names.ts';
import { failed } from '../postgres/problem.ts';
import { offersTls } from '../postgres/tls/names.ts';
import { consolePasswordOf } from './credentials.ts';
import { poolerConfigName } from './names.ts';
import { reload, renew, resume } from './renew.ts';
import { consoleTarget } from './target.ts';

interface Target {
  /** Name of its Deployment; the pods' own are random. */
  readonly pooler: string;
  readonly address: string;
  /** It is reached with TLS; absent otherwise. */
  readonly tls?: true;
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

/** Has poolers read their files anew: settings, certificate, list of users. Nobody is sent away; what cannot be read is left as it was. */
interface ReloadPoolers extends Action {
  readonly type: 'pooler.reload';
  readonly pods: readonly Target[];
}

export type PoolerAction = RenewPoolers | ResumePoolers | ReloadPoolers;

/** The next reconcile waits for it, and a pooler that is slow to answer will be asked again. */
const ACTION_TIMEOUT_MS = 1_500;

/** Carries out one action on all its pods at once; idempotent and bounded to 1.5 s. */
export async function act(action: Action, { scope, signal }: ActionContext): Promise<void> {
  const password = consolePasswordOf(scope);
  if (password === undefined) throw new Error(`Secret ${poolerConfigName(scope.platform)} has no console password`);
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(ACTION_TIMEOUT_MS)]);
  const known = action as PoolerAction;
  const each = known.pods.map(async ({ pooler, address, tls, since }: RenewTarget) => {
    const console = consoleTarget(scope, address, tls === true, password);
    try {
      if (known.type === 'pooler.resume') await resume(console, DATABASE, bounded);
      else if (known.type === 'pooler.reload') await reload(console, bounded);
      else await renew(console, DATABASE, since === undefined ? undefined : new Date(since), bounded);
    } catch (error) {
      const answer = failed(error, bounded);
      throw new Error(`${pooler}: ${answer.ok ? '' : answer.detail}`, { cause: error });
    }
  });
  // One that does not answer must not keep the others from being done.
  await Promise.allSettled(each);
  await Promise.all(each);
}

export function targetOf(pooler: string, pod: Pod): Target {
  return { pooler, address: pod.status?.podIP ?? '', ...(offersTls(pod) ? { tls: true } : {}) };
}
