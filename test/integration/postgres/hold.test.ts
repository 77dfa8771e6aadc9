import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { HOLD_NAME, hold, release } from '../../../operator/platform/postgres/hold.ts';
import { eventually } from '../../api/support/daemon.ts';
import { Pair } from './pair.ts';

const signal = (): AbortSignal => AbortSignal.timeout(15_000);

describe('a standby that is held', function () {
  this.timeout(60_000);
  const pair = new Pair();

  before(async () => await pair.start());
  after(async () => await pair.destroy());

  const insert = async (n: number, timeoutMs: number): Promise<unknown> =>
    await pair.query(pair.primary, `INSERT INTO written VALUES (${n})`, timeoutMs);
  const streams = async (): Promise<void> => {
    const [row] = await pair.query(pair.primary, 'SELECT count(*)::int AS standbys FROM pg_stat_replication');
    expect(row).to.deep.equal({ standbys: 1 });
  };
  const holders = async (): Promise<unknown> =>
    await pair.query(pair.standby, `SELECT pid FROM pg_stat_activity WHERE application_name = '${HOLD_NAME}'`);

  it('is not held while it hears from its primary', async () => {
    await insert(1, 5_000);
    const refusal = await hold(pair.standby, signal()).catch((error: unknown) => error);
    expect(String(refusal)).to.contain('still hears');
    await insert(2, 5_000);
  });

  it('confirms nothing to a primary that thaws, whoever resumes its replay, until it is released', async () => {
    pair.freeze();
    await pause(1_200);
    await hold(pair.standby, signal());
    pair.thaw();
    await pair.query(pair.standby, 'SELECT pg_wal_replay_resume()');
    const late = insert(3, 20_000).then(() => 'acknowledged');
    expect(await Promise.race([late, pause(3_000, 'waiting')])).to.equal('waiting');
    await release(pair.standby, signal());
    expect(await late).to.equal('acknowledged');
    // Else it would look held, and be released again and again, for as long as a hold lasts.
    await eventually(async () => expect(await holders()).to.deep.equal([]), 2_000);
  });

  it('lets go by itself, though the operator is gone', async () => {
    await eventually(streams);
    pair.freeze();
    await pause(1_200);
    await hold(pair.standby, signal());
    pair.thaw();
    await insert(4, 20_000);
  });

  it('lets go as soon as it is promoted', async () => {
    await eventually(streams);
    pair.freeze();
    await pause(1_200);
    await hold(pair.standby, signal());
    const began = performance.now();
    await pair.query(pair.standby, 'SELECT pg_promote()');
    expect(performance.now() - began).to.be.below(5_000);
  });
});
