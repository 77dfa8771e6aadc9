import { expect } from 'chai';
import { type PasswordFacts, type PasswordPlan, passwordPlan } from './rotation.ts';
import type { BrokerLogin, NextLogin } from './secrets.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const A_MINUTE_AGO = new Date('2026-03-01T11:59:00Z');
const HALF_AN_HOUR_AGO = new Date('2026-03-01T11:30:00Z');

const first: BrokerLogin = {
  username: 'isp_support',
  password: 'p0',
  rotatedFor: undefined,
  retiredFor: undefined,
  step: undefined,
  since: undefined,
};
const next: NextLogin = { username: 'isp_support_alt', password: 'p1', last: 'p0', rotatedFor: 'r1' };
const accepting: BrokerLogin = { ...first, step: 'Accepting', since: HALF_AN_HOUR_AGO };
const inForce: BrokerLogin = {
  ...accepting,
  username: 'isp_support_alt',
  password: 'p1',
  rotatedFor: 'r1',
  step: 'InForce',
};
const revoking: BrokerLogin = { ...inForce, step: 'Revoking' };
const done: BrokerLogin = { ...inForce, step: undefined, since: undefined, retiredFor: 'r1' };

const all = (admits: boolean) => ['a', 'b'].map((name) => ({ name, runs: true, admits }));
const away = [
  { name: 'a', runs: true, admits: true },
  { name: 'b', runs: false, admits: true },
];
const quiet = { names: [], quietSince: HALF_AN_HOUR_AGO.toISOString() };

describe('the rotation of the password of RabbitMQ', () => {
  const retiring: Partial<PasswordFacts> = { request: 'r1', login: inForce, next, other: 'valid' };
  const table: readonly [string, Partial<PasswordFacts>, Partial<PasswordPlan>][] = [
    ['does nothing unasked', {}, { phase: 'Idle' }],
    ['begins with a login of the other user', { request: 'r1' }, { phase: 'Preparing', begin: 'r1' }],
    ['waits for a node that is away', { request: 'r1', nodes: away }, { waitsFor: 'b to run' }],
    [
      'waits for a pod that is missing',
      { request: 'r1', complete: false },
      { waitsFor: 'every pod of RabbitMQ to be there' },
    ],
    ['is done once for each request', { request: 'r1', login: done, other: 'missing' }, { phase: 'Idle' }],
    ['begins again for another request', { request: 'r2', login: done, other: 'missing' }, { begin: 'r2' }],
    ['has nodes that start import both logins first', { next }, { phase: 'Preparing', step: 'Accepting' }],
    [
      'then makes the other user',
      { next, login: accepting, other: 'missing' },
      { admit: true, waitsFor: 'the nodes to have both logins' },
    ],
    ['gives a user that is there already its password', { next, login: accepting, other: 'password' }, { admit: true }],
    ['and what it may do', { next, login: accepting, other: 'permissions' }, { admit: true }],
    [
      'does not act on what was found of another login',
      { next, login: accepting },
      { waitsFor: 'the nodes to have both logins' },
    ],
    [
      'tells nobody before every node was seen to let it in',
      { next, login: accepting, other: 'valid', nodes: all(false) },
      { waitsFor: 'a, b to let isp_support_alt in' },
    ],
    [
      'tells nobody before every node would, too, that starts',
      { next, login: { ...accepting, since: A_MINUTE_AGO }, other: 'valid' },
      { waitsFor: 'the pods’ volumes to have what the Secret says', until: new Date('2026-03-01T12:01:00Z') },
    ],
    ['tells nobody while a node is away', { next, login: accepting, other: 'valid', nodes: away }, {}],
    ['then puts it into force', { next, login: accepting, other: 'valid' }, { phase: 'Preparing', step: 'InForce' }],
    ['goes back where the next login was lost before anybody had it', { login: accepting }, { step: 'Undone' }],
    [
      'goes back where somebody has changed the one in force',
      { next, login: { ...accepting, password: 'by hand' }, other: 'valid' },
      { step: 'Undone', discard: true },
    ],
    [
      'throws a next login away that was made beside another one',
      { next, login: { ...first, password: 'by hand' } },
      { discard: true },
    ],
    ['revokes nothing that a pod of the application has', { ...retiring, followed: false }, { phase: 'Retiring' }],
    [
      'gives the last login back where somebody has changed it, while it is to be valid',
      { ...retiring, other: 'password' },
      { phase: 'Retiring', admit: true },
    ],
    [
      'and where it is gone with a node that is away',
      { ...retiring, other: 'missing', nodes: away },
      { phase: 'Retiring', admit: true },
    ],
    [
      'does not give it back to whom somebody has taken it away from by hand',
      { ...retiring, other: 'missing', followed: false },
      { phase: 'Retiring', step: 'Revoking' },
    ],
    [
      'revokes nothing that a client is connected with',
      { ...retiring, clients: { names: ['isp_support (mail)'] } },
      { waitsFor: 'clients to give up the last login: isp_support (mail)' },
    ],
    [
      'revokes nothing that a client was connected with a moment ago',
      { ...retiring, clients: { names: [], quietSince: A_MINUTE_AGO.toISOString() } },
      { waitsFor: 'two minutes without a client of isp_support', until: new Date('2026-03-01T12:01:00Z') },
    ],
    [
      'revokes nothing while nobody says who is there',
      { ...retiring, clients: {} },
      { waitsFor: 'the nodes to be asked who is connected' },
    ],
    ['revokes nothing while a node may have clients that nobody sees', { ...retiring, nodes: away }, {}],
    ['then has nodes that start import the new login alone', retiring, { phase: 'Retiring', step: 'Revoking' }],
    [
      'revokes the last one when no node would make it anew',
      { ...retiring, login: { ...revoking, since: A_MINUTE_AGO } },
      { waitsFor: 'the pods’ volumes to have what the Secret says' },
    ],
    [
      'revokes it then',
      { ...retiring, login: revoking, other: 'password' },
      { phase: 'Retiring', revoke: 'isp_support', waitsFor: 'the nodes to revoke isp_support' },
    ],
    [
      'revokes nothing that a client has come back with',
      { ...retiring, login: revoking, other: 'password', clients: { names: ['isp_support'] } },
      { phase: 'Retiring' },
    ],
    ['and nothing that a pod has', { ...retiring, login: revoking, other: 'password', followed: false }, {}],
    ['is over when it is gone', { ...retiring, login: revoking, other: 'missing' }, { step: 'Done' }],
    [
      'goes on without the Secret of the next login, which is in force',
      { ...retiring, next: undefined, other: undefined },
      { step: 'Revoking' },
    ],
    [
      'goes on where somebody took its step away',
      { ...retiring, login: { ...inForce, step: undefined } },
      { step: 'Revoking' },
    ],
    ['finishes before it begins with another request', { ...retiring, request: 'r2' }, { step: 'Revoking' }],
    [
      'revokes again what a node has made anew',
      { request: 'r1', login: done, other: 'password' },
      { phase: 'Idle', revoke: 'isp_support' },
    ],
    [
      'leaves it while pods of the application may have it, as after a Secret that was put back',
      { request: 'r1', login: done, other: 'password', followed: false },
      { phase: 'Idle' },
    ],
    ['has nothing against a user of that name where nothing was rotated', { other: 'password' }, { phase: 'Idle' }],
  ];
  for (const [what, change, expected] of table)
    it(what, () => {
      const plan = passwordPlan({
        now: NOW,
        request: undefined,
        login: first,
        next: undefined,
        nodes: all(true),
        complete: true,
        other: undefined,
        clients: quiet,
        followed: true,
        ...change,
      });
      expect(plan).to.deep.include(expected);
      for (const key of ['begin', 'discard', 'step', 'admit', 'revoke'] as const)
        if (!(key in expected)) expect(plan, key).to.not.have.property(key);
    });
});
