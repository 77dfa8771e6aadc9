import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { Database } from '../../../api/db/database.ts';
import type { AppError } from '../../../api/errors.ts';
import type { Log } from '../../../api/log.ts';
import type { SqlTarget } from '../../../operator/platform/postgres/sql-session.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { Pair } from './pair.ts';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const RETRY_MS = 15_000;

describe("the API's way to the primary", function () {
  this.timeout(60_000);
  let pair: Pair;
  let proxy: TcpProxy;
  let db: Database;

  beforeEach(async () => {
    pair = new Pair();
    await pair.start();
    proxy = new TcpProxy(pair.primary.port);
    const port = await proxy.listen();
    const url = `postgresql://${pair.primary.user}@127.0.0.1:${port}/postgres`;
    const log = quiet as unknown as Log;
    db = new Database({ url, poolSize: 4, retryMs: RETRY_MS, log, applicationName: 'test' });
  });
  afterEach(async () => {
    await db.close();
    await proxy.close();
    await pair.destroy();
  });

  const write = async (n: number, retryMs?: number): Promise<unknown> =>
    await db.transaction((tx) => tx.query('INSERT INTO written VALUES ($1)', [n]), retryMs);
  const count = async (target: SqlTarget): Promise<unknown> =>
    (await pair.query(target, 'SELECT count(DISTINCT n)::int AS n FROM written'))[0]?.['n'];

  it('leads to the new one within a second, though the old one hangs with every connection open', async () => {
    await Promise.all([1, 2, 3, 4].map(async (n) => await write(n)));
    pair.freeze();
    const waiting = [5, 6, 7, 8].map(async (n) => await write(n));
    await pause(300);
    await pair.query(pair.standby, 'SELECT pg_promote()');
    proxy.lead(pair.standby.port);
    const began = performance.now();
    await Promise.all(waiting);
    expect(performance.now() - began).to.be.below(2_000);
    const again = performance.now();
    await write(9);
    expect(performance.now() - again).to.be.below(500);
    expect(await count(pair.standby)).to.equal(9);
  });

  it('waits as it would for a slow primary when nobody else is one', async () => {
    await write(1);
    const slow = db.transaction((tx) => tx.query('SELECT pg_sleep(2)'));
    await slow;
    expect(await count(pair.primary)).to.equal(1);
  });

  it('is not taken to a standby, says so in time, and is there again with the primary', async () => {
    await write(1);
    proxy.lead(pair.standby.port);
    proxy.cut();
    const began = performance.now();
    const refusal = await write(2, 1_000).catch((error: unknown) => error);
    expect(performance.now() - began).to.be.below(2_000);
    expect(refusal as AppError).to.include({ code: 'database-unavailable', retryable: true });
    const late = write(3);
    await pause(700);
    proxy.lead(pair.primary.port);
    const back = performance.now();
    await late;
    expect(performance.now() - back).to.be.below(1_000);
    expect(await count(pair.primary)).to.equal(2);
  });

  it('gives up what leads to the old one as soon as one connection leads to another', async () => {
    await write(1);
    await pair.query(pair.standby, 'SELECT pg_promote()');
    proxy.lead(pair.standby.port);
    // More than there are connections, so that a new one is made.
    await Promise.all([2, 3, 4].map(async (n) => await write(n)));
    await write(5);
    const answers = await pair.query(pair.standby, 'SELECT n FROM written WHERE n = 5');
    expect(answers).to.have.length(1);
  });
});
