import { expect } from 'chai';
import { GreetingFromMember, greet } from '../../../operator/platform/postgres/greeting.ts';
import { tryLogin } from '../../../operator/platform/postgres/login-probe.ts';
import type { Answer } from '../../../operator/platform/postgres/reading.ts';
import { SqlSession } from '../../../operator/platform/postgres/sql-session.ts';
import { WriteCanary } from '../../../operator/platform/postgres/write-canary.ts';
import { eventually } from '../../api/support/daemon.ts';
import { Pair } from './pair.ts';

const within = (milliseconds: number): AbortSignal => AbortSignal.timeout(milliseconds);
const greeted = { ok: true, value: true };
const silent = { ok: false, problem: 'Timeout', detail: 'no answer in time' };

describe('the greeting of a primary', function () {
  this.timeout(60_000);
  const pair = new Pair();
  let witness: GreetingFromMember;

  before(async () => {
    await pair.start();
    witness = new GreetingFromMember(pair.standby, pair.primary);
  });
  after(async () => {
    witness.close();
    await pair.destroy();
  });

  const seen = async (): Promise<{ own: Answer<true>; witness: Answer<true> }> => {
    const [own, other] = await Promise.all([greet(pair.primary, within(1_000)), witness.ask(within(5_000))]);
    return { own, witness: other };
  };

  it('is seen by the operator and by a standby', async () => {
    expect(await seen()).to.deep.equal({ own: greeted, witness: greeted });
  });

  it('is seen though there is no room for another session', async () => {
    const sessions: SqlSession[] = [];
    try {
      for (let refused = false; !refused; ) {
        const session = new SqlSession(pair.primary);
        sessions.push(session);
        refused = await session.query('SELECT 1', within(5_000)).then(
          () => false,
          () => true,
        );
      }
      expect(await tryLogin(pair.primary, within(5_000))).to.include({ ok: false, detail: '53300' });
      expect(await seen()).to.deep.equal({ own: greeted, witness: greeted });
    } finally {
      for (const session of sessions) session.close();
    }
    await eventually(async () => expect(await tryLogin(pair.primary, within(1_000))).to.deep.equal(greeted));
  });

  it('is seen though every login waits for a lock', async () => {
    const holder = new SqlSession(pair.primary);
    try {
      await holder.query('BEGIN', within(5_000));
      await holder.query('LOCK TABLE pg_authid IN ACCESS EXCLUSIVE MODE', within(5_000));
      expect(await tryLogin(pair.primary, within(1_000))).to.deep.equal(silent);
      expect((await seen()).own).to.deep.equal(greeted);
    } finally {
      holder.close();
    }
    await eventually(async () => expect(await seen()).to.deep.equal({ own: greeted, witness: greeted }));
  });

  it('is missed by both when the postmaster stands still, while sessions that are open commit', async () => {
    const canary = new WriteCanary(pair.primary, 3);
    const session = new SqlSession(pair.primary);
    await canary.run(within(5_000));
    await session.query('SELECT 1', within(5_000));
    pair.wedge();
    try {
      expect(await tryLogin(pair.primary, within(1_000))).to.deep.equal(silent);
      expect(await seen()).to.deep.equal({ own: silent, witness: silent });
      expect((await canary.run(within(5_000))).answer).to.deep.equal(greeted);
      // Waits for the standby, whose sender goes on as well.
      await session.query('INSERT INTO written VALUES (1)', within(5_000));
    } finally {
      pair.thaw();
      canary.close();
      session.close();
    }
    await eventually(async () => expect(await seen()).to.deep.equal({ own: greeted, witness: greeted }));
  });

  it('is missed by both when nothing of the server moves', async () => {
    pair.freeze();
    try {
      expect(await seen()).to.deep.equal({ own: silent, witness: silent });
    } finally {
      pair.thaw();
    }
  });

  it('is not called missing by a witness that cannot look', async () => {
    pair.freeze('standby');
    try {
      expect(await witness.ask(within(500))).to.include({ ok: false, problem: 'Unreachable' });
    } finally {
      pair.thaw('standby');
    }
  });
});
