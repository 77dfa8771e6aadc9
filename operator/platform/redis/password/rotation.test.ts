import { expect } from 'chai';
import fc from 'fast-check';
import { passwordHash } from './reading.ts';
import { type PasswordFacts, type PasswordMember, type PasswordPlan, passwordPlan } from './rotation.ts';
import type { NextPassword, RedisLogin } from './secrets.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const A_MINUTE_AGO = new Date('2026-03-01T11:59:00Z');
const HALF_AN_HOUR_AGO = new Date('2026-03-01T11:30:00Z');
const [OLD, NEW] = [passwordHash('old'), passwordHash('new')];

const login: RedisLogin = {
  password: 'old',
  rotatedFor: undefined,
  retiredFor: undefined,
  step: undefined,
  since: undefined,
};
const next: NextPassword = { password: 'new', last: 'old', rotatedFor: 'r1' };
const accepting: RedisLogin = { ...login, step: 'Accepting', since: HALF_AN_HOUR_AGO };
const inForce: RedisLogin = { ...login, password: 'new', rotatedFor: 'r1', step: 'InForce', since: HALF_AN_HOUR_AGO };
const revoking: RedisLogin = { ...inForce, step: 'Revoking' };
const done: RedisLogin = { ...inForce, step: undefined, since: undefined, retiredFor: 'r1' };

function member(name: string, accepts: readonly string[] | undefined, offers = OLD): PasswordMember {
  const reading = accepts === undefined ? {} : { reading: { kind: 'view' as const, accepts, offers } };
  return { name, part: 'server', address: { host: name, port: 6379 }, ...reading };
}

function both(accepts: readonly string[], offers = OLD): PasswordMember[] {
  return [member('a', accepts, offers), member('b', accepts, offers)];
}

function plan(facts: Partial<PasswordFacts>): PasswordPlan {
  const base = { now: NOW, request: undefined, login, next: undefined, members: both([OLD]) };
  return passwordPlan({ ...base, complete: true, remembers: false, followed: true, ...facts });
}

function acts({ actions }: PasswordPlan): string[] {
  return actions.map(({ type, node }) => `${type.replace('redis-password.', '')} ${node.pod}`);
}

describe('the rotation of the password of Redis', () => {
  const table: readonly [string, Partial<PasswordFacts>, Partial<PasswordPlan>, string[]?][] = [
    ['does nothing unasked', {}, { phase: 'Idle' }],
    ['begins with another password', { request: 'r1' }, { begin: 'r1' }],
    [
      'waits for whoever does not answer',
      { request: 'r1', members: [member('a', undefined)] },
      { waitsFor: 'a to answer' },
    ],
    ['is done once for each request', { request: 'r1', login: done }, { phase: 'Idle' }],
    ['begins again for another request', { request: 'r2', login: done, members: both([NEW], NEW) }, { begin: 'r2' }],
    ['has servers that start take both first', { next }, { phase: 'Preparing', step: 'Accepting' }],
    [
      'then has everybody take both who does not',
      { next, login: accepting, members: [member('a', [OLD]), member('b', [OLD, NEW])] },
      { phase: 'Preparing', waitsFor: 'a to take both passwords' },
      ['accept a'],
    ],
    [
      'gives nobody the next one before the volumes have it',
      { next, login: { ...accepting, since: A_MINUTE_AGO }, members: both([OLD, NEW]) },
      { waitsFor: 'the pods’ volumes to have what the Secret says', until: new Date('2026-03-01T12:01:00Z') },
    ],
    [
      'gives nobody the next one while a pod is missing',
      { next, login: accepting, members: both([OLD, NEW]), complete: false },
      { waitsFor: 'every pod of Redis to be there' },
    ],
    ['then puts it into force', { next, login: accepting, members: both([OLD, NEW]) }, { step: 'InForce' }],
    [
      'makes another one up where the next was lost before anybody had it',
      { login: accepting, members: both([OLD, NEW]), request: 'r1' },
      { begin: 'r1' },
    ],
    [
      'has the servers log in to each other with the new one',
      { next, login: inForce, members: both([OLD, NEW]) },
      { phase: 'Retiring', waitsFor: 'a, b to log in with the new password' },
      ['offer a', 'offer b'],
    ],
    [
      'gives the last one back to a server that came without it',
      { next, login: inForce, members: both([NEW], NEW) },
      { waitsFor: 'a, b to take both passwords' },
      ['accept a', 'accept b'],
    ],
    [
      'revokes nothing that a pod of the application has',
      { next, login: inForce, members: both([OLD, NEW], NEW), followed: false },
      { waitsFor: 'the pods of the application to be replaced' },
    ],
    [
      'revokes nothing that others may have for ten minutes',
      { next, login: { ...inForce, since: A_MINUTE_AGO }, members: both([OLD, NEW], NEW) },
      { until: new Date('2026-03-01T12:09:00Z') },
    ],
    [
      'then has servers that start take the new one alone',
      { next, login: inForce, members: both([OLD, NEW], NEW) },
      { step: 'Revoking' },
    ],
    [
      'revokes the last one when the volumes have it no more',
      { next, login: revoking, members: [member('a', [OLD, NEW], NEW), member('b', [NEW], NEW)] },
      { phase: 'Retiring', waitsFor: 'a to revoke the last password' },
      ['revoke a'],
    ],
    ['is over when nobody takes the last one', { next, login: revoking, members: both([NEW], NEW) }, { step: 'Done' }],
    [
      'goes on without the Secret of the next one, which is in force',
      { login: revoking, members: both([NEW], NEW) },
      { step: 'Done' },
    ],
    [
      'finishes before it begins with another request',
      { request: 'r2', next, login: inForce, members: both([OLD, NEW], NEW) },
      { step: 'Revoking' },
    ],
  ];
  for (const [what, facts, expected, actions = []] of table)
    it(what, () => {
      const decided = plan(facts);
      expect(decided).to.deep.include(expected);
      expect(acts(decided)).to.deep.equal(actions);
    });

  it('never has clients use a password that a server does not take, nor has a server drop one that they may use', () => {
    const hashes = fc.subarray([OLD, NEW]);
    const anyone = fc.tuple(fc.option(hashes, { nil: undefined }), fc.constantFrom(OLD, NEW));
    const anything = fc.record({
      login: fc.constantFrom(login, accepting, inForce, revoking, done, { ...accepting, since: NOW }),
      readings: fc.array(anyone, { maxLength: 3 }),
      hasNext: fc.boolean(),
      complete: fc.boolean(),
      followed: fc.boolean(),
    });
    fc.assert(
      fc.property(anything, ({ login: now, readings, hasNext, complete, followed }) => {
        const members = readings.map(([accepts, offers], i) => member(`m${i}`, accepts, offers));
        const decided = plan({
          request: 'r1',
          login: now,
          members,
          complete,
          followed,
          next: hasNext ? next : undefined,
        });
        const all = members.length > 0 && complete && members.every(({ reading }) => reading !== undefined);
        const take = (hash: string) => members.every(({ reading }) => reading?.accepts.includes(hash));
        if (decided.step === 'InForce') expect(all && take(OLD) && take(NEW)).to.equal(true);
        if (decided.step === 'Revoking') expect(all && followed && take(NEW)).to.equal(true);
        if (acts(decided).some((act) => act.startsWith('revoke'))) expect(now.step).to.equal('Revoking');
        if (decided.step === 'Done')
          expect(all && take(NEW) && members.every(({ reading }) => reading?.accepts.length === 1)).to.equal(true);
      }),
    );
  });
});
