import type { Action, ActionContext } from '../core/component.ts';
import { secretValue } from '../core/secrets.ts';
import { ensureDatabase, prepareLogin, revokeLogin } from './ensure-database.ts';
import { hold, release } from './hold.ts';
import { appLogin, nextLogin, otherUser } from './login.ts';
import { adminKeys, adminSecretName, appSecretName, nextSecretName, SUPERUSER } from './names.ts';
import { isRotating } from './password-facts.ts';
import { patchConfig, reinitialize, reloadPatroni, restart, switchOver } from './patroni-client.ts';
import { SqlSession, type SqlTarget } from './sql-session.ts';
import { memberTarget } from './target.ts';

/** Makes the application's role and database on the primary, or gives the role the Secret's password. */
export interface EnsureDatabase extends Action {
  readonly type: 'postgres.ensure-database';
  readonly member: string;
  readonly address: string;
}

/** Gives the next login's role its password on the primary. */
export interface PrepareLogin extends Action {
  readonly type: 'postgres.prepare-login';
  readonly member: string;
  readonly address: string;
}

/** Takes the password of a role away that nobody uses any more. */
export interface RevokeLogin extends Action {
  readonly type: 'postgres.revoke-login';
  readonly member: string;
  readonly address: string;
  readonly username: string;
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
  /** Undefined: whoever is first. */
  readonly to?: string;
}

/** Has a member copy the data of the primary anew, whatever it has. */
export interface Reinitialize extends Action {
  readonly type: 'postgres.reinitialize';
  readonly member: string;
  readonly address: string;
  /** Gives up whatever Patroni is doing there for it. */
  readonly force: boolean;
}

/** Has members serve with the certificate that is mounted now. */
export interface ReloadCertificate extends Action {
  readonly type: 'postgres.reload-certificate';
  readonly members: readonly Address[];
}

/** Has the Patroni of members read its file anew. */
export interface ReloadPatroni extends Action {
  readonly type: 'postgres.reload-patroni';
  readonly members: readonly Address[];
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
  | PrepareLogin
  | RevokeLogin
  | Configure
  | Wake
  | HoldStandbys
  | ReleaseStandbys
  | Switchover
  | Reinitialize
  | ReloadCertificate
  | ReloadPatroni
  | Restart;

const ACTION_TIMEOUT_MS = 10_000;

/** Carries out one action; each is idempotent and bounded to 10 s. */
export async function act(action: Action, { scope, signal }: ActionContext): Promise<void> {
  const { platform } = scope;
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(ACTION_TIMEOUT_MS)]);
  const admin = (key: string) =>
    need(secretValue(scope, adminSecretName(platform), key), adminSecretName(platform), key);
  const superuser = (member: string, host: string) =>
    memberTarget(scope, member, { host, database: 'postgres', user: SUPERUSER, password: admin(adminKeys.superuser) });
  const known = action as PostgresAction;
  switch (known.type) {
    case 'postgres.ensure-database': {
      const login = need(appLogin(scope), appSecretName(platform), 'password');
      // What an earlier platform has left on the volumes; while logins are being changed both are valid.
      const revoked = isRotating(scope) ? undefined : otherUser(login.username);
      return await ensureDatabase(superuser(known.member, known.address), login, revoked, bounded);
    }
    case 'postgres.prepare-login': {
      const login = need(nextLogin(scope), nextSecretName(platform), 'password');
      return await prepareLogin(superuser(known.member, known.address), login, bounded);
    }
    case 'postgres.revoke-login':
      return await revokeLogin(superuser(known.member, known.address), known.username, bounded);
    case 'postgres.configure':
      return await patchConfig(known.address, admin(adminKeys.restapi), known.patch, bounded);
    case 'postgres.wake':
      return await patchConfig(known.address, admin(adminKeys.restapi), { ttl: known.ttl }, bounded);
    case 'postgres.hold':
    case 'postgres.release': {
      const work = known.type === 'postgres.hold' ? hold : release;
      return await onEach(known.members, async ({ name, address }) => await work(superuser(name, address), bounded));
    }
    case 'postgres.reload-certificate':
      return await onEach(
        known.members,
        async ({ name, address }) => await reloadServer(superuser(name, address), bounded),
      );
    case 'postgres.reload-patroni':
      return await onEach(
        known.members,
        async ({ address }) => await reloadPatroni(address, admin(adminKeys.restapi), bounded),
      );
    case 'postgres.reinitialize':
      return await reinitialize(known.address, admin(adminKeys.restapi), known.force, bounded);
    case 'postgres.restart':
      return await restart(known.address, admin(adminKeys.restapi), bounded);
    case 'postgres.switchover':
      return await switchOver(known.address, admin(adminKeys.restapi), known, bounded);
    default:
      throw new TypeError(`postgres does not know the action ${action.type}`);
  }
}

/** Does the same on every member at once; rejects with the first that fails, and says which. */
async function onEach(members: readonly Address[], work: (member: Address) => Promise<void>): Promise<void> {
  const each = members.map(async (member) => {
    try {
      await work(member);
    } catch (error) {
      throw new Error(`${member.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  });
  await Promise.all(each);
}

/** Has Postgres read its certificate, key and configuration anew; sessions that are open keep what they were made with. */
async function reloadServer(target: SqlTarget, signal: AbortSignal): Promise<void> {
  const session = new SqlSession(target);
  try {
    await session.query('SELECT pg_reload_conf()', signal);
  } finally {
    session.close();
  }
}

function need<T>(value: T | undefined, secret: string, key: string): T {
  if (value === undefined) throw new Error(`Secret ${secret} has no ${key}`);
  return value;
}
