import { MOUNT_MS, type RotationStep, stepLasted } from '../../core/rotation-journal.ts';
import type { FoundTurn } from '../found-definitions.ts';
import { otherUser } from '../names.ts';
import type { LastClients } from './last-clients.ts';
import { type BrokerLogin, isNextOf, type NextLogin, stepOf } from './secrets.ts';

/** A pod of RabbitMQ that there is. */
export interface PasswordNode {
  readonly name: string;
  /** Its node runs and serves clients. */
  readonly runs: boolean;
  /** It was seen to let the next login in. */
  readonly admits: boolean;
}

export interface PasswordFacts {
  readonly now: Date;
  /** Value of the annotation that a person sets. */
  readonly request: string | undefined;
  readonly login: BrokerLogin;
  readonly next: NextLogin | undefined;
  readonly nodes: readonly PasswordNode[];
  /** Whether every pod that is to be is among them, and none that is about to go. */
  readonly complete: boolean;
  /** What RabbitMQ has of the user whose turn it is not, compared with what it is to be now; undefined while that is not known. */
  readonly other: FoundTurn['state'] | undefined;
  /** Who is connected as that user; undefined while that is not known. */
  readonly clients: LastClients | undefined;
  /** Whether CELERY_BROKER_URL has the login in force, and every pod of the application was made with it. */
  readonly followed: boolean;
}

/** What is to be done now; everything in it may be done twice. */
export interface PasswordPlan {
  readonly phase: 'Idle' | 'Preparing' | 'Retiring';
  /** A login is made up for the other user, for this request. */
  readonly begin?: string;
  /** The next login is of no use any more. */
  readonly discard?: true;
  /**
   * What the Secret of RabbitMQ says from now on. `Undone`: as before the rotation, since the login that was to follow is lost; `Done`: the last
   * login is not valid any more.
   */
  readonly step?: RotationStep | 'Undone' | 'Done';
  /** The other user is to have its password, and everything that it may do. */
  readonly admit?: true;
  /** The user that is taken away. */
  readonly revoke?: string;
  readonly waitsFor?: string;
  /** When it goes on by itself. */
  readonly until?: Date;
}

/** A user is not in use when nobody has seen a connection of it for this long: a pool opens one again when it has something to do. */
const QUIET_MS = 120_000;

const PODS = 'the pods of the application to be replaced';

/**
 * Pure: replaces the password by way of two users that log in by turns, since a user has one password. The next login is valid on every node,
 * and would be after a restart of all, before anybody is told of it; the last one is valid until no pod and no connection has it. What the Secrets and
 * the nodes say is all that is remembered.
 */
export function passwordPlan(facts: PasswordFacts): PasswordPlan {
  const { login, next } = facts;
  const step = stepOf(login);
  if (step === 'InForce') return retire(facts);
  if (step === 'Revoking') return revoke(facts);
  if (step === 'Accepting') {
    const isOurs = next !== undefined && isNextOf(login, next);
    return isOurs ? prepare(facts, next) : { phase: 'Preparing', step: 'Undone', ...discarded(next) };
  }
  if (next === undefined || next.rotatedFor === login.rotatedFor) return idle(facts);
  return { phase: 'Preparing', ...(isNextOf(login, next) ? { step: 'Accepting' } : discarded(next)) };
}

function idle(facts: PasswordFacts): PasswordPlan {
  const { request, login, followed, other } = facts;
  const wanted = request === undefined || request === '' || request === login.rotatedFor ? undefined : request;
  // A node that started with what it had mounted long ago has made it anew; or somebody has.
  const isBack = login.rotatedFor !== undefined && other !== undefined && other !== 'missing';
  if (isBack && followed) return { phase: 'Idle', revoke: otherUser(login.username) };
  if (wanted === undefined) return { phase: 'Idle' };
  const waitsFor = whoIsAway(facts);
  return { phase: 'Preparing', ...(waitsFor === undefined ? { begin: wanted } : { waitsFor }) };
}

function prepare(facts: PasswordFacts, { username }: NextLogin): PasswordPlan {
  const phase = 'Preparing';
  const { other, nodes } = facts;
  const away = whoIsAway(facts);
  if (away !== undefined) return { phase, waitsFor: away };
  if (other !== 'valid')
    return { phase, ...(other === undefined ? {} : { admit: true }), waitsFor: 'the nodes to have both logins' };
  const strict = nodes.filter(({ admits }) => !admits);
  if (strict.length > 0) return { phase, waitsFor: `${namesOf(strict)} to let ${username} in` };
  return mounting(facts, phase) ?? { phase, step: 'InForce' };
}

function retire(facts: PasswordFacts): PasswordPlan {
  const phase = 'Retiring';
  const { other, followed } = facts;
  // Who takes it away by hand means it: no node is to make it anew.
  if (other === 'missing' && whoIsAway(facts) === undefined) return { phase, step: 'Revoking' };
  if (other !== undefined && other !== 'valid')
    return { phase, admit: true, waitsFor: 'the nodes to have both logins' };
  if (!followed) return { phase, waitsFor: PODS };
  return quiet(facts, phase) ?? { phase, step: 'Revoking' };
}

function revoke(facts: PasswordFacts): PasswordPlan {
  const phase = 'Retiring';
  const { login, other, followed } = facts;
  if (!followed) return { phase, waitsFor: PODS };
  const waiting = mounting(facts, phase) ?? quiet(facts, phase);
  if (waiting !== undefined) return waiting;
  if (other === 'missing') return { phase, step: 'Done' };
  const last = otherUser(login.username);
  return { phase, ...(other === undefined ? {} : { revoke: last }), waitsFor: `the nodes to revoke ${last}` };
}

/** Waits until nobody has been connected with the last login for a while; undefined when that is so. */
function quiet(facts: PasswordFacts, phase: PasswordPlan['phase']): PasswordPlan | undefined {
  const { clients, now, login } = facts;
  const away = whoIsAway(facts);
  if (away !== undefined) return { phase, waitsFor: away };
  if (clients?.names === undefined) return { phase, waitsFor: 'the nodes to be asked who is connected' };
  if (clients.names.length > 0 || clients.quietSince === undefined)
    return { phase, waitsFor: `clients to give up the last login: ${clients.names.join(', ')}` };
  const until = new Date(Date.parse(clients.quietSince) + QUIET_MS);
  if (until <= now) return undefined;
  return { phase, waitsFor: `two minutes without a client of ${otherUser(login.username)}`, until };
}

/** Waits until whatever a node imports when it starts is what the Secret says; undefined when that is so. */
function mounting({ login, now }: PasswordFacts, phase: PasswordPlan['phase']): PasswordPlan | undefined {
  const until = stepLasted(login, MOUNT_MS);
  return until <= now ? undefined : { phase, waitsFor: 'the pods’ volumes to have what the Secret says', until };
}

function whoIsAway({ nodes, complete }: PasswordFacts): string | undefined {
  const away = nodes.filter(({ runs }) => !runs);
  if (away.length > 0) return `${namesOf(away)} to run`;
  return complete && nodes.length > 0 ? undefined : 'every pod of RabbitMQ to be there';
}

function discarded(next: NextLogin | undefined): { discard?: true } {
  return next === undefined ? {} : { discard: true };
}

function namesOf(nodes: readonly PasswordNode[]): string {
  return nodes.map(({ name }) => name).join(', ');
}
