import { expect } from 'chai';
import { Client } from 'pg';
import { issueAuthority, issueLeaf } from '../../../operator/platform/certificates/issue.ts';
import { ensureDatabase, prepareLogin, revokeLogin } from '../../../operator/platform/postgres/ensure-database.ts';
import { type AppLogin, otherUser } from '../../../operator/platform/postgres/login.ts';
import { tryLogin } from '../../../operator/platform/postgres/login-probe.ts';
import { LoginsProbe, type LoginsReading } from '../../../operator/platform/postgres/logins-probe.ts';
import { passwordPlan } from '../../../operator/platform/postgres/password-rotation.ts';
import { systemClock } from '../../../operator/runtime/clock.ts';
import { Hammer, SecuredServer } from './secured.ts';

const signal = (): AbortSignal => AbortSignal.timeout(10_000);

describe('the password of Postgres', function () {
  this.timeout(120_000);
  const server = new SecuredServer();
  let ca: string;
  let login: AppLogin = { username: 'isp_support', password: 'first', rotatedFor: undefined, retiredFor: undefined };
  /** By which the rotation's two minutes go by at once. */
  let later = 0;
  const clock = { ...systemClock, now: () => new Date(Date.now() + later) };

  before(async () => {
    const authority = await issueAuthority('test', new Date());
    ca = authority.certificate.pem;
    await server.start(await issueLeaf(authority, ['localhost'], new Date()), ca);
    await ensureDatabase(server.target(ca), login, undefined, signal());
  });

  after(async () => await server.destroy());

  function url({ username, password }: AppLogin): string {
    return server.url(undefined, 'localhost', username, password, 'isp_support');
  }

  async function as(one: AppLogin, sql: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: url(one) });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  /** Turns of the operator, until the rotation for a request is over; `follow` has the pods replaced. */
  async function rotate(request: string, follow: (login: AppLogin) => boolean): Promise<string[]> {
    const probe = new LoginsProbe(server.target(ca), clock);
    const phases: string[] = [];
    let next: AppLogin | undefined;
    try {
      for (let turn = 0; turn < 60; turn += 1) {
        const answer = await probe.run(signal());
        const logins: LoginsReading | undefined = answer.ok ? answer.value : undefined;
        const target = { ...server.target(ca), database: 'isp_support' };
        const proven =
          next === undefined
            ? undefined
            : await tryLogin({ ...target, user: next.username, password: next.password }, signal());
        const followed = follow(login);
        const members = [{ name: 'a', logins }];
        const now = clock.now();
        const plan = passwordPlan({
          now,
          request,
          login,
          next,
          primary: 'a',
          members,
          proven,
          isPoolerBehind: false,
          followed,
        });
        phases.push(plan.waitsFor ?? plan.phase);
        if (plan.begin !== undefined)
          next = {
            username: plan.begin.username,
            password: `for ${request}`.replace(' ', '-'),
            rotatedFor: request,
            retiredFor: undefined,
          };
        else if (plan.prepare === true && next !== undefined) await prepareLogin(server.target(ca), next, signal());
        else if (plan.enforce === true && next !== undefined) login = { ...next, retiredFor: login.rotatedFor };
        else if (plan.revoke !== undefined) await revokeLogin(server.target(ca), plan.revoke, signal());
        else if (plan.retired === true) {
          login = { ...login, retiredFor: login.rotatedFor };
          return phases;
        } else if (plan.phase === 'Retiring') later += 30_000;
      }
      throw new Error(`not over: ${phases.at(-1)}`);
    } finally {
      probe.close();
    }
  }

  it('is rotated twice without refusing anybody who reconnects all the time', async () => {
    await as(login, 'CREATE TABLE made_before (n int)');
    for (const request of ['one', 'two']) {
      let mine = login;
      const hammers = [1, 2, 3].map(() => new Hammer(() => url(mine)));
      let turns = 0;
      try {
        const phases = await rotate(request, (inForce) => {
          // A rollout takes its time.
          turns += 1;
          if (turns > 12) mine = inForce;
          return mine.username === inForce.username;
        });
        expect(phases.some((phase) => phase.includes('pods of the application'))).to.equal(true);
      } finally {
        await Promise.all(hammers.map((hammer) => hammer.stop()));
      }
      expect(hammers.flatMap(({ refusals }) => refusals)).to.deep.equal([]);
      expect(hammers.reduce((sum, { connections }) => sum + connections, 0)).to.be.greaterThan(20);
    }
    expect(login).to.include({ username: 'isp_support', password: 'for-two', retiredFor: 'two' });
  });

  it('is refused once it was revoked', async () => {
    const last: AppLogin = { username: 'isp_support_alt', password: 'for-one', rotatedFor: 'one', retiredFor: 'one' };
    const refused = await as(last, 'SELECT 1').catch((error: unknown) => error);
    expect(refused).to.have.property('code', '28P01');
    const first = await as({ ...login, password: 'first' }, 'SELECT 1').catch((error: unknown) => error);
    expect(first).to.have.property('code', '28P01');
  });

  it('is not revoked while a session of it is left, whatever the session does', async () => {
    const before = login;
    const session = new Client({ connectionString: url(before) });
    await session.connect();
    let ended: Promise<void> | undefined;
    let turns = 0;
    const phases = await rotate('three', () => {
      turns += 1;
      if (turns === 20) ended = session.end();
      return true;
    });
    await ended;
    expect(turns).to.be.greaterThan(20);
    expect(phases.filter((phase) => phase.includes('sessions of isp_support on a')).length).to.be.greaterThan(5);
    expect(login.username).to.equal(otherUser(before.username));
  });

  it('leaves what the other role makes to the owner, and lets it change what the owner made', async () => {
    expect(login.username).to.equal('isp_support_alt');
    expect(await as(login, 'SELECT current_user::text AS acts, session_user::text AS is')).to.deep.equal([
      { acts: 'isp_support', is: 'isp_support_alt' },
    ]);
    await as(login, 'CREATE TABLE made_after (n int)');
    await as(login, 'ALTER TABLE made_before ADD COLUMN m int');
    await as(login, 'DISCARD ALL');
    const owners = await as(
      login,
      "SELECT DISTINCT tableowner::text AS owner FROM pg_tables WHERE tablename LIKE 'made%'",
    );
    expect(owners).to.deep.equal([{ owner: 'isp_support' }]);
  });

  it('of a platform that is made anew over old data is the only one that is left', async () => {
    const anew: AppLogin = { username: 'isp_support', password: 'anew', rotatedFor: undefined, retiredFor: undefined };
    await ensureDatabase(server.target(ca), anew, 'isp_support_alt', signal());
    expect(await as(anew, 'SELECT 1 AS n')).to.deep.equal([{ n: 1 }]);
    expect(await as(login, 'SELECT 1').catch((error: unknown) => error)).to.have.property('code', '28P01');
  });
});
