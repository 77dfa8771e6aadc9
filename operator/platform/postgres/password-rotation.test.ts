import { expect } from 'chai';
import fc from 'fast-check';
import type { Login } from '../pooler/config.ts';
import { letIn } from '../pooler/logins.ts';
import type { AppLogin } from './login.ts';
import type { LoginsReading } from './logins-probe.ts';
import { type PasswordFacts, type PasswordPlan, passwordPlan } from './password-rotation.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const LONG_AGO = '2026-03-01T11:00:00Z';
const JUST_NOW = '2026-03-01T11:59:30Z';

const owner: AppLogin = { username: 'isp_support', password: 'p0', rotatedFor: undefined, retiredFor: undefined };
const alternate: AppLogin = { username: 'isp_support_alt', password: 'p1', rotatedFor: 'r1', retiredFor: undefined };

function roles(ownerPassword?: string, alternatePassword?: string, quietSince: string | null = LONG_AGO) {
  const role = (name: string, password: string | undefined) => ({
    name,
    ...(password === undefined ? {} : { password }),
    ...(quietSince === null ? {} : { quietSince }),
  });
  return [role('isp_support', ownerPassword), role('isp_support_alt', alternatePassword)];
}

function both(first: LoginsReading | undefined, second: LoginsReading | undefined = first) {
  return [
    { name: 'a', logins: first },
    { name: 'b', logins: second },
  ];
}

const preparing: Partial<PasswordFacts> = { request: 'r1', next: alternate };
const retiring: Partial<PasswordFacts> = { request: 'r1', login: alternate, members: both(roles('m0', 'm1')) };

describe('the rotation of the password', () => {
  const table: readonly [string, Partial<PasswordFacts>, Partial<PasswordPlan>][] = [
    ['does nothing unasked', {}, { phase: 'Idle' }],
    [
      'begins with a password for the other role',
      { request: 'r1' },
      { begin: { username: 'isp_support_alt', request: 'r1' } },
    ],
    ['waits for a primary', { request: 'r1', primary: undefined }, { phase: 'Idle' }],
    ['is done once for each request', { request: 'r1', login: { ...alternate, retiredFor: 'r1' } }, { phase: 'Idle' }],
    [
      'goes back to the first role the next time',
      { request: 'r2', login: { ...alternate, retiredFor: 'r1' } },
      { begin: { username: 'isp_support', request: 'r2' } },
    ],
    ['gives the role its password', preparing, { prepare: true }],
    [
      'gives it again where another one is left from before',
      {
        ...preparing,
        members: both(roles('m0', 'm9')),
        proven: { ok: false, problem: 'AuthFailed', detail: '28P01' },
      },
      { prepare: true },
    ],
    [
      'tells nobody before the login was tried',
      { ...preparing, members: both(roles('m0', 'm1')) },
      { phase: 'Preparing', waitsFor: 'a to take the next password' },
    ],
    [
      'tells nobody before every member has it',
      { ...preparing, members: both(roles('m0', 'm1'), roles('m0')), proven: { ok: true, value: true } },
      { phase: 'Preparing', waitsFor: 'b to know the next password' },
    ],
    [
      'tells nobody before the poolers let it in',
      {
        ...preparing,
        members: both(roles('m0', 'm1')),
        proven: { ok: true, value: true },
        isPoolerBehind: true,
      },
      { phase: 'Preparing', waitsFor: 'the pods of the pooler to know the next password' },
    ],
    [
      'then puts it into force',
      { ...preparing, members: both(roles('m0', 'm1')), proven: { ok: true, value: true } },
      { phase: 'Preparing', enforce: true },
    ],
    ['revokes nothing that a pod may have', { ...retiring, followed: false }, { phase: 'Retiring' }],
    [
      'revokes nothing that a session has on any member',
      { ...retiring, members: both(roles('m0', 'm1'), roles('m0', 'm1', null)) },
      { waitsFor: 'the sessions of isp_support on b to end, and two minutes without any' },
    ],
    [
      'revokes nothing that had a session a moment ago',
      { ...retiring, members: both(roles('m0', 'm1', JUST_NOW)) },
      { waitsFor: 'the sessions of isp_support on a, b to end, and two minutes without any' },
    ],
    [
      'revokes nothing while a member does not say who is there',
      { ...retiring, members: [...both(roles('m0', 'm1')), { name: 'c', logins: undefined }] },
      { waitsFor: 'c to answer' },
    ],
    ['revokes the last one when nobody has it', retiring, { revoke: 'isp_support' }],
    ['is over when that was seen', { ...retiring, members: both(roles(undefined, 'm1')) }, { retired: true }],
    [
      'does not begin again before the last one is revoked',
      { ...retiring, request: 'r2', followed: false },
      { phase: 'Retiring' },
    ],
  ];
  for (const [what, change, expected] of table) {
    it(what, () => {
      const plan = passwordPlan({
        now: NOW,
        request: undefined,
        login: owner,
        next: undefined,
        primary: 'a',
        members: both(roles('m0')),
        proven: undefined,
        isPoolerBehind: false,
        followed: true,
        ...change,
      });
      expect(plan).to.deep.include(expected);
      for (const key of ['begin', 'prepare', 'enforce', 'revoke', 'retired'] as const)
        if (!(key in expected)) expect(plan, key).to.not.have.property(key);
    });
  }

  /** Two members, of which the standby follows in its own time, and pods that log in with what the Secret had when they were made. */
  interface World {
    now: number;
    request: string | undefined;
    login: AppLogin;
    next: AppLogin | undefined;
    primary: Record<string, string>;
    standby: Record<string, string>;
    pods: { login: AppLogin; connected: boolean; quietSince: number }[];
    /** The list of whom the poolers let in, and what each of their pods has read of it. */
    users: readonly Login[];
    poolers: (readonly Login[])[];
    drawn: number;
  }

  function factsOf(world: World): PasswordFacts {
    const reading = (stored: Record<string, string>): LoginsReading =>
      ['isp_support', 'isp_support_alt'].map((name) => {
        const users = world.pods.filter(({ login }) => login.username === name);
        const quiet = Math.max(0, ...users.map(({ connected, quietSince }) => (connected ? world.now : quietSince)));
        const isUsed = users.some(({ connected }) => connected);
        return {
          name,
          ...(stored[name] === undefined ? {} : { password: `md5 of ${stored[name]}` }),
          ...(isUsed ? {} : { quietSince: new Date(quiet).toISOString() }),
        };
      });
    const { next } = world;
    const isTaken = next !== undefined && world.primary[next.username] === next.password;
    return {
      now: new Date(world.now),
      request: world.request,
      login: world.login,
      next,
      primary: 'a',
      members: both(reading(world.primary), reading(world.standby)),
      proven: isTaken ? { ok: true, value: true } : { ok: false, problem: 'AuthFailed', detail: '28P01' },
      isPoolerBehind: next !== undefined && !world.poolers.every((users) => isLetIn(users, next)),
      followed: world.pods.every(({ login }) => login.password === world.login.password),
    };
  }

  function isLetIn(users: readonly Login[], { username, password }: Login): boolean {
    return users.some((one) => one.username === username && one.password === password);
  }

  function follow(world: World): void {
    const { followed } = factsOf(world);
    const known = (username: string) => world.users.find((one) => one.username === username);
    world.users = letIn({ login: world.login, next: world.next, isFollowed: followed, known });
    const plan = passwordPlan(factsOf(world));
    const { next, login } = world;
    if (plan.begin !== undefined) {
      world.drawn += 1;
      const { username, request } = plan.begin;
      world.next = { username, password: `p${world.drawn}`, rotatedFor: request, retiredFor: undefined };
    }
    if (plan.prepare === true && next !== undefined)
      world.primary = { ...world.primary, [next.username]: next.password };
    if (plan.enforce === true && next !== undefined) world.login = { ...next, retiredFor: login.rotatedFor };
    if (plan.revoke !== undefined) {
      const { [plan.revoke]: _, ...rest } = world.primary;
      world.primary = rest;
    }
    if (plan.retired === true) world.login = { ...login, retiredFor: login.rotatedFor };
    if (plan.enforce !== true && next !== undefined && next.rotatedFor === login.rotatedFor) world.next = undefined;
  }

  it('has no moment at which a pod is refused, in whatever order the parts follow', () => {
    const event = fc.oneof(
      { weight: 6, arbitrary: fc.constant({ what: 'operator' as const, which: 0 }) },
      { weight: 2, arbitrary: fc.constant({ what: 'replicate' as const, which: 0 }) },
      { weight: 2, arbitrary: fc.record({ what: fc.constant('restart' as const), which: fc.nat({ max: 1 }) }) },
      { weight: 2, arbitrary: fc.record({ what: fc.constant('replace' as const), which: fc.nat({ max: 1 }) }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constant('connect' as const), which: fc.nat({ max: 1 }) }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constant('disconnect' as const), which: fc.nat({ max: 1 }) }) },
      { weight: 2, arbitrary: fc.record({ what: fc.constant('time' as const), which: fc.nat({ max: 200 }) }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constant('request' as const), which: fc.nat({ max: 4 }) }) },
    );
    let finished = 0;
    fc.assert(
      fc.property(fc.array(event, { minLength: 20, maxLength: 150 }), (events) => {
        const world: World = {
          now: NOW.getTime(),
          request: undefined,
          login: owner,
          next: undefined,
          primary: { isp_support: 'p0' },
          standby: { isp_support: 'p0' },
          pods: [0, 1].map(() => ({ login: owner, connected: true, quietSince: 0 })),
          users: [owner],
          poolers: [[owner], [owner]],
          drawn: 0,
        };
        for (const { what, which } of events) {
          const pod = world.pods[which];
          if (what === 'operator') follow(world);
          if (what === 'replicate') world.standby = world.primary;
          if (what === 'restart') world.poolers[which] = world.users;
          if (what === 'time') world.now += which * 1_000;
          if (what === 'request') world.request = `request ${which}`;
          if (what === 'replace' && pod !== undefined) pod.login = world.login;
          if (what === 'connect' && pod !== undefined) pod.connected = true;
          if (what === 'disconnect' && pod !== undefined)
            Object.assign(pod, { connected: false, quietSince: world.now });
          for (const { login } of world.pods) {
            for (const users of world.poolers) expect(isLetIn(users, login), 'at a pooler').to.equal(true);
            expect(world.primary[login.username], 'on the primary').to.equal(login.password);
            const isNew = login.password !== 'p0';
            if (isNew) expect(world.standby[login.username], 'on the standby').to.equal(login.password);
          }
        }
        if (world.login.retiredFor !== undefined) finished += 1;
      }),
      { numRuns: 2_000 },
    );
    expect(finished, 'rotations that came to their end').to.be.greaterThan(20);
  });
});
