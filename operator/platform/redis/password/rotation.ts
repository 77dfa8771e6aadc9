import { MOUNT_MS, type RotationStep, stepLasted } from '../../core/rotation-journal.ts';
import type { Address } from '../cluster-nodes.ts';
import type { Part } from '../sentinel/names.ts';
import type { PasswordAction, PasswordTarget } from './actions.ts';
import type { PasswordReading } from './reading.ts';
import { passwordHash } from './reading.ts';
import type { NextPassword, RedisLogin } from './secrets.ts';

/** A pod of Redis that there is, with what it says; no reading when it has not answered. */
export interface PasswordMember {
  readonly name: string;
  readonly part: Part;
  readonly address?: Address;
  readonly reading?: PasswordReading;
}

export interface PasswordFacts {
  readonly now: Date;
  /** Value of the annotation that a person sets. */
  readonly request: string | undefined;
  readonly login: RedisLogin;
  readonly next: NextPassword | undefined;
  readonly members: readonly PasswordMember[];
  /** Whether every pod that is to be is among them, and none that is about to go. */
  readonly complete: boolean;
  /** Whether servers keep their passwords in files of their own, as in mode sentinel. */
  readonly remembers: boolean;
  /** Whether the application's pods all have the password in force. */
  readonly followed: boolean;
}

/** What is to be done now; everything in it may be done twice. */
export interface PasswordPlan {
  readonly phase: 'Idle' | 'Preparing' | 'Retiring';
  /** A password is made up for this request. */
  readonly begin?: string;
  /** What the Secret of Redis says from now on; `Done` once nobody takes the last password. */
  readonly step?: RotationStep | 'Done';
  readonly actions: readonly PasswordAction[];
  readonly waitsFor?: string;
  /** When it goes on by itself. */
  readonly until?: Date;
}

/** For clients that nobody sees: Redis does not tell which password a connection came with. */
const CLIENTS_MS = 600_000;

/**
 * Pure: replaces the password by having every server take both for a while, which the engine allows. Nobody is told of the next one before every
 * server takes it and would after a restart; the last one is revoked when the servers and the application have the next. What the Secrets and the
 * servers say is all that is remembered.
 */
export function passwordPlan(facts: PasswordFacts): PasswordPlan {
  const { login, next, request } = facts;
  if (login.step === 'InForce') return retire(facts);
  if (login.step === 'Revoking') return revoke(facts);
  if (next !== undefined && next.rotatedFor !== login.rotatedFor) return prepare(facts, next);
  // Its passwords are lost with their Secret before anybody was given the next one.
  if (login.step === 'Accepting') return { phase: 'Preparing', actions: [], begin: request || 'resumed' };
  if (request === undefined || request === '' || request === login.rotatedFor || login.rotatedFor !== login.retiredFor)
    return { phase: 'Idle', actions: [] };
  const away = whoIsAway(facts);
  return { phase: 'Preparing', actions: [], ...(away === undefined ? { begin: request } : { waitsFor: away }) };
}

function prepare(facts: PasswordFacts, next: NextPassword): PasswordPlan {
  const phase = 'Preparing';
  const { login } = facts;
  if (login.step !== 'Accepting') return { phase, actions: [], step: 'Accepting' };
  const accepting = accept(facts, [passwordHash(login.password), passwordHash(next.password)]);
  if (accepting !== undefined) return { phase, ...accepting };
  return mounting(facts) ?? { phase, actions: [], step: 'InForce' };
}

function retire(facts: PasswordFacts): PasswordPlan {
  const phase = 'Retiring';
  const { login, next, now, followed } = facts;
  const both = [login.password, ...(next === undefined ? [] : [next.last])].map(passwordHash);
  const accepting = accept(facts, both);
  if (accepting !== undefined) return { phase, ...accepting };
  const offering = facts.members.filter(({ reading }) => reading?.offers !== passwordHash(login.password));
  if (offering.length > 0)
    return {
      phase,
      actions: offering.flatMap((one) => on(facts, one, (node) => ({ type: 'redis-password.offer', node }))),
      waitsFor: `${names(offering)} to log in with the new password`,
    };
  if (!followed) return { phase, actions: [], waitsFor: 'the pods of the application to be replaced' };
  const until = stepLasted(login, CLIENTS_MS);
  if (until > now)
    return { phase, actions: [], waitsFor: 'clients that nobody sees to take the new password from the Secret', until };
  return { phase, actions: [], step: 'Revoking' };
}

function revoke(facts: PasswordFacts): PasswordPlan {
  const phase = 'Retiring';
  const waiting = mounting(facts);
  if (waiting !== undefined) return { ...waiting, phase };
  const away = whoIsAway(facts);
  if (away !== undefined) return { phase, actions: [], waitsFor: away };
  const only = passwordHash(facts.login.password);
  const lax = facts.members.filter(({ reading }) => reading?.accepts.join() !== only);
  if (lax.length === 0) return { phase, actions: [], step: 'Done' };
  return {
    phase,
    actions: lax.flatMap((one) => on(facts, one, (node) => ({ type: 'redis-password.revoke', node }))),
    waitsFor: `${names(lax)} to revoke the last password`,
  };
}

/** Has everybody take these passwords; undefined when everybody does. */
function accept(facts: PasswordFacts, hashes: readonly string[]): Omit<PasswordPlan, 'phase'> | undefined {
  const strict = facts.members.filter(
    ({ reading }) => reading !== undefined && !hashes.every((hash) => reading.accepts.includes(hash)),
  );
  const actions = strict.flatMap((one) =>
    on(facts, one, (node) => ({ type: 'redis-password.accept', node, hashes: [...hashes] })),
  );
  const away = whoIsAway(facts);
  if (away !== undefined) return { actions, waitsFor: away };
  return strict.length === 0 ? undefined : { actions, waitsFor: `${names(strict)} to take both passwords` };
}

function on(
  { remembers }: PasswordFacts,
  { name, part, address, reading }: PasswordMember,
  make: (node: PasswordTarget) => PasswordAction,
): PasswordAction[] {
  if (address === undefined || reading === undefined) return [];
  return [make({ pod: name, part, address, remembers })];
}

function mounting({ login, now }: PasswordFacts): PasswordPlan | undefined {
  const until = stepLasted(login, MOUNT_MS);
  if (until <= now) return undefined;
  return { phase: 'Preparing', actions: [], waitsFor: 'the pods’ volumes to have what the Secret says', until };
}

function whoIsAway({ members, complete }: PasswordFacts): string | undefined {
  const silent = members.filter(({ reading }) => reading === undefined);
  if (silent.length > 0) return `${names(silent)} to answer`;
  return complete && members.length > 0 ? undefined : 'every pod of Redis to be there';
}

function names(members: readonly PasswordMember[]): string {
  return members.map(({ name }) => name).join(', ');
}
