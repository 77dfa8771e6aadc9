import type { AppLogin } from './login.ts';
import { otherUser } from './login.ts';
import type { LoginsReading, RoleReading } from './logins-probe.ts';
import type { Answer } from './reading.ts';

/** `Preparing`: the next login is being made known to every member; `Retiring`: it is in force, and the one before is still valid. */
export type PasswordPhase = 'Idle' | 'Preparing' | 'Retiring';

export interface PasswordFacts {
  readonly now: Date;
  /** Value of the annotation that a person sets. */
  readonly request: string | undefined;
  readonly login: AppLogin;
  readonly next: AppLogin | undefined;
  /** The primary's name; undefined while there is none. */
  readonly primary: string | undefined;
  /** Every member there is, with what it says; undefined when it has not answered. */
  readonly members: readonly { readonly name: string; readonly logins: LoginsReading | undefined }[];
  /** Whether the next login was seen to be taken by the primary. */
  readonly proven: Answer<true> | undefined;
  /** Whether there is a pooler with a pod that would not let the next login in. */
  readonly isPoolerBehind: boolean;
  /** Whether DATABASE_URL has the login in force, and every pod of the application was made with it. */
  readonly followed: boolean;
}

/** What is to be done now; everything in it may be done twice. */
export interface PasswordPlan {
  readonly phase: PasswordPhase;
  /** A login is made up for the other role. */
  readonly begin?: { readonly username: string; readonly request: string };
  /** The primary gives the other role the next password. */
  readonly prepare?: boolean;
  /** The next login comes into force. */
  readonly enforce?: boolean;
  /** The role whose password is taken away. */
  readonly revoke?: string;
  /** The rotation is over. */
  readonly retired?: boolean;
  readonly waitsFor?: string;
}

/** A role is not in use when nobody has seen a session of it for this long: a pool opens one again when it has something to do. */
const QUIET_MS = 120_000;

/**
 * Pure: replaces the password by way of two roles that log in by turns, since a role has one password. The next login is taken by every
 * member before anybody is told of it, and the last one is valid until no pod and no session has it. What the Secrets say is all that is
 * remembered.
 */
export function passwordPlan(facts: PasswordFacts): PasswordPlan {
  const { request, login, next, primary } = facts;
  if (next !== undefined && next.rotatedFor !== login.rotatedFor) return prepare(facts, next);
  if (login.rotatedFor !== login.retiredFor) return retire(facts);
  if (request === undefined || request === '' || request === login.rotatedFor || primary === undefined)
    return { phase: 'Idle' };
  return { phase: 'Idle', begin: { username: otherUser(login.username), request } };
}

function prepare({ members, primary, proven, isPoolerBehind }: PasswordFacts, next: AppLogin): PasswordPlan {
  const phase = 'Preparing';
  const stored = roleOn(members, primary, next.username)?.password;
  const asked = members.find(({ name }) => name === primary);
  if (asked?.logins === undefined) return { phase, waitsFor: 'a primary that answers' };
  if (stored === undefined || (proven?.ok === false && proven.problem === 'AuthFailed'))
    return { phase, prepare: true, waitsFor: `${primary} to take the next password` };
  if (proven?.ok !== true) return { phase, waitsFor: `${primary} to take the next password` };
  const behind = members.filter(({ name }) => roleOn(members, name, next.username)?.password !== stored);
  if (behind.length > 0)
    return { phase, waitsFor: `${behind.map(({ name }) => name).join(', ')} to know the next password` };
  return isPoolerBehind
    ? { phase, waitsFor: 'the pods of the pooler to know the next password' }
    : { phase, enforce: true };
}

function retire({ now, login, members, primary, followed }: PasswordFacts): PasswordPlan {
  const phase = 'Retiring';
  const last = otherUser(login.username);
  if (!followed) return { phase, waitsFor: 'the pods of the application to be replaced' };
  const silent = members.flatMap(({ name, logins }) => (logins === undefined ? name : []));
  if (primary === undefined || silent.length > 0)
    return { phase, waitsFor: `${silent.length === 0 ? 'a primary' : silent.join(', ')} to answer` };
  if (roleOn(members, primary, last)?.password === undefined) return { phase, retired: true };
  const isQuiet = (role: RoleReading | undefined): boolean =>
    role === undefined || (role.quietSince !== undefined && now.getTime() - Date.parse(role.quietSince) >= QUIET_MS);
  const used = members.filter(({ name }) => !isQuiet(roleOn(members, name, last)));
  if (used.length === 0) return { phase, revoke: last };
  const where = used.map(({ name }) => name).join(', ');
  return { phase, waitsFor: `the sessions of ${last} on ${where} to end, and two minutes without any` };
}

function roleOn(members: PasswordFacts['members'], member: string | undefined, role: string): RoleReading | undefined {
  return members.find(({ name }) => name === member)?.logins?.find(({ name }) => name === role);
}
