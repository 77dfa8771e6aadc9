import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { hold, pauseReplay, release } from '../../../operator/platform/postgres/hold.ts';
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

  it('is not held while it hears from its primary', async () => {
    await insert(1, 5_000);
    const refusal = await hold(pair.standby, signal()).catch((error: unknown) => error);
    expect(String(refusal)).to.contain('still hears');
    const [row] = await pair.query(pair.standby, 'SELECT pg_get_wal_replay_pause_state() AS state');
    expect(row).to.deep.equal({ state: 'not paused' });
  });

  it('confirms nothing to a primary that thaws, until it is released', async () => {
    pair.freeze();
    await pause(1_200);
    await pauseReplay(pair.standby, signal());
    await hold(pair.standby, signal());
    pair.thaw();
    const late = insert(2, 20_000).then(() => 'acknowledged');
    expect(await Promise.race([late, pause(3_000, 'waiting')])).to.equal('waiting');
    await release(pair.standby, signal());
    expect(await late).to.equal('acknowledged');
  });

  it('lets go by itself, though the operator is gone', async () => {
    pair.freeze();
    await pause(1_200);
    await hold(pair.standby, signal());
    pair.thaw();
    await eventually(async () => {
      const [row] = await pair.query(pair.standby, 'SELECT pg_get_wal_replay_pause_state() AS state');
      expect(row).to.deep.equal({ state: 'not paused' });
    });
    await insert(3, 10_000);
  });
});
