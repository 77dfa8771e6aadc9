import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect } from 'chai';
import { DiskProbe } from '../../../operator/platform/postgres/disk-space.ts';
import { WriteCanary, whyNoCommit } from '../../../operator/platform/postgres/write-canary.ts';
import { Pair } from './pair.ts';

const within = (milliseconds: number): AbortSignal => AbortSignal.timeout(milliseconds);

describe('the disk of a member', function () {
  this.timeout(60_000);
  const pair = new Pair();

  before(async () => await pair.start());
  after(async () => await pair.destroy());

  it('is as large as the file system says, on the primary and on a standby', async () => {
    const { bsize, bavail, bfree, blocks } = statfsSync(tmpdir());
    for (const target of [pair.primary, pair.standby]) {
      const probe = new DiskProbe(target);
      const { isCurrent, space } = await probe.run(within(10_000));
      probe.close();
      expect(isCurrent).to.equal(true);
      // Others write to it meanwhile.
      const tolerance = 0.02 * blocks * bsize;
      expect(space?.available).to.be.closeTo(bavail * bsize, tolerance);
      expect(space?.size).to.be.closeTo((blocks - bfree + bavail) * bsize, tolerance);
    }
  });

  it('takes commits that wait for nobody while the only standby is away', async () => {
    const canary = new WriteCanary(pair.primary, 3);
    pair.freeze('standby');
    try {
      const insert = pair.query(pair.primary, 'INSERT INTO written VALUES (1)', 1_000).catch(() => 'not acknowledged');
      expect(await canary.run(within(5_000))).to.deep.equal({ answer: { ok: true, value: true }, failures: 0 });
      expect(await insert).to.equal('not acknowledged');
    } finally {
      pair.thaw('standby');
      canary.close();
    }
  });

  it('writes what a canary commits', async () => {
    const canary = new WriteCanary(pair.primary, 3);
    const position = async () => (await pair.query(pair.primary, 'SELECT pg_current_wal_flush_lsn() AS at'))[0]?.['at'];
    const before = await position();
    await canary.run(within(5_000));
    expect(await position()).to.not.equal(before);
    canary.close();
  });

  it('is said to take no commits after as many failures as the threshold, and no sooner', async () => {
    const canary = new WriteCanary(pair.primary, 2);
    await canary.run(within(5_000));
    pair.freeze();
    try {
      expect(whyNoCommit(await canary.run(within(300)), 2)).to.equal(undefined);
      expect(whyNoCommit(await canary.run(within(300)), 2)).to.contain('no commit reaches its disk');
    } finally {
      pair.thaw();
    }
    expect(await canary.run(within(5_000))).to.deep.equal({ answer: { ok: true, value: true }, failures: 0 });
    canary.close();
  });
});
