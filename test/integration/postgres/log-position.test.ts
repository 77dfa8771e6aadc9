import { expect } from 'chai';
import { type LogPosition, LogProbe } from '../../../operator/platform/postgres/log-position.ts';
import { eventually } from '../../api/support/daemon.ts';
import { ManualClock } from '../../support/clock.ts';
import { Pair } from './pair.ts';

describe('the log of a primary and its standby', function () {
  this.timeout(60_000);
  const pair = new Pair();
  const clock = new ManualClock();
  let primary: LogProbe;
  let standby: LogProbe;

  before(async () => {
    await pair.start();
    [primary, standby] = [new LogProbe(pair.primary, clock), new LogProbe(pair.standby, clock)];
  });
  after(async () => {
    primary.close();
    standby.close();
    await pair.destroy();
  });

  const ask = async (probe: LogProbe): Promise<LogPosition> => {
    const answer = await probe.run(AbortSignal.timeout(10_000));
    if (!answer.ok) throw new Error(answer.detail);
    return answer.value;
  };
  const turn = async (segments: number): Promise<void> => {
    for (let count = 0; count < segments; count += 1) {
      await pair.query(pair.primary, 'SET synchronous_commit = local; INSERT INTO written VALUES (1)');
      await pair.query(pair.primary, 'SELECT pg_switch_wal()');
    }
  };

  it('is in step while the standby follows', async () => {
    await turn(2);
    await eventually(async () => {
      const [has, replayed] = [await ask(primary), (await ask(standby)).replayed ?? 0];
      expect(has).to.include({ isStill: false }).and.not.have.property('replayed');
      expect(replayed).to.be.at.least(has.oldest);
    });
  });

  it('shows a standby that needs what the primary does not keep any more', async () => {
    await pair.query(pair.standby, 'SELECT pg_wal_replay_pause()');
    const { replayed = 0 } = await ask(standby);
    await turn(4);
    await pair.query(pair.primary, 'CHECKPOINT');
    await clock.advance(59_000);
    expect(await ask(standby)).to.include({ replayed, isStill: false });
    await clock.advance(1_000);
    expect(await ask(standby)).to.include({ replayed, isStill: true });
    expect((await ask(primary)).oldest).to.be.above(replayed);
  });
});
