import type { Action, ActionContext } from '../core/component.ts';
import { secretValue } from '../core/secrets.ts';
import { ensureDatabase } from './ensure-database.ts';
import { hold, release } from './hold.ts';
import { adminKeys, adminSecretName, appSecretName, POSTGRES_PORT, SUPERUSER } from './names.ts';
import { patchConfig, reinitialize, restart, switchOver } from './patroni-client.ts';

/** Makes the application's role and database on the primary, or gives the role the Secret's password. */
export interface EnsureDatabase extends Action {
  readonly type: 'postgres.ensure-database';
  readonly member: string;
  readonly address: string;
}

/** Changes Patroni's dynamic configuration, for all members, by way of one of them. */
export interface Configure extends Action {
  readonly type: 'postgres.configure';
  readonly member: string;
  readonly address: string;
  readonly patch: Readonly<Record<string, unknown>>;
}

/**
 * Has Patroni's loop turn now instead of at its next turn, up to 5 s later: after the first start that is when it makes the replication
 * slots and turns synchronous replication on. Every change of the configuration does that, even one that changes nothing.
 */
export interface Wake extends Action {
  readonly type: 'postgres.wake';
  readonly member: string;
  readonly address: string;
  readonly ttl: number;
}

/** Keeps standbys from confirming commits to a primary that is lost, see hold.ts. */
export interface HoldStandbys extends Action {
  readonly type: 'postgres.hold';
  readonly members: readonly Address[];
}

export interface ReleaseStandbys extends Action {
  readonly type: 'postgres.release';
  readonly members: readonly Address[];
}

/** Has Patroni move the primary as planned work. */
export interface Switchover extends Action {
  readonly type: 'postgres.switchover';
  readonly address: string;
  readonly from: string;
  readonly to: string;
}

/** Has a member copy the data of the primary anew, whatever it has. */
export interface Reinitialize extends Action {
  readonly type: 'postgres.reinitialize';
  readonly member: string;
  readonly address: string;
}

/** Has a member restart where it is, if parameters wait for that. */
export interface Restart extends Action {
  readonly type: 'postgres.restart';
  readonly member: string;
  readonly address: string;
}

interface Address {
  readonly name: string;
  readonly address: string;
}

export type PostgresAction =
  | EnsureDatabase
  | Configure
  | Wake
  | HoldStandbys
  | ReleaseStandbys
  | Switchover
  | Reinitialize
  | Restart;

const ACTION_TIMEOUT_MS = 10_000;

/** Carries out one action; each is idempotent and bounded to 10 s. */
export async function act(action: Action, { scope, signal }: ActionContext): Promise<void> {
  const { platform } = scope;
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(ACTION_TIMEOUT_MS)]);
  const admin = (key: string) =>
    need(secretValue(scope, adminSecretName(platform), key), adminSecretName(platform), key);
  const known = action as PostgresAction;
  switch (known.type) {
    case 'postgres.ensure-database': {
      const target = { host: known.address, port: POSTGRES_PORT, database: 'postgres', user: SUPERUSER };
      const password = need(
        secretValue(scope, appSecretName(platform), 'password'),
        appSecretName(platform),
        'password',
      );
      return await ensureDatabase({ ...target, password: admin(adminKeys.superuser) }, password, bounded);
    }
    case 'postgres.configure':
      return await patchConfig(known.address, admin(adminKeys.restapi), known.patch, bounded);
    case 'postgres.wake':
      return await patchConfig(known.address, admin(adminKeys.restapi), { ttl: known.ttl }, bounded);
    case 'postgres.hold':
    case 'postgres.release': {
      const work = known.type === 'postgres.hold' ? hold : release;
      const each = known.members.map(async ({ name, address }) => {
        const target = { host: address, port: POSTGRES_PORT, database: 'postgres', user: SUPERUSER };
        try {
          await work({ ...target, password: admin(adminKeys.superuser) }, bounded);
        } catch (error) {
          throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
        }
      });
      return void (await Promise.all(each));
    }
    case 'postgres.reinitialize':
      return await reinitialize(known.address, admin(adminKeys.restapi), bounded);
    case 'postgres.restart':
      return await restart(known.address, admin(adminKeys.restapi), bounded);
    case 'postgres.switchover':
      return await switchOver(known.address, admin(adminKeys.restapi), known, bounded);
    default:
      throw new TypeError(`postgres does not know the action ${action.type}`);
  }
}

function need(value: string | undefined, secret: string, key: string): string {
  if (value === undefined) throw new Error(`Secret ${secret} has no ${key}`);
  return value;
}
