import { expect } from 'chai';
import { coarseUse, hasDiskChanged, parseDf } from './disk-space.ts';

const title = 'Filesystem     1024-blocks    Used Available Capacity Mounted on\n';

describe('the room on a volume', () => {
  it('is read from what df says, without what is reserved for root', () => {
    const answer = `${title}/dev/sdb            103080888 8000000  92000000       8% /var/lib/postgresql\n`;
    expect(parseDf(answer)).to.deep.equal({ size: 102_400_000_000, available: 94_208_000_000 });
  });

  it('is none where even what is reserved is in use', () => {
    const answer = `${title}overlay  1000  900  -50  106% /\n`;
    expect(parseDf(answer)).to.deep.equal({ size: 921_600, available: 0 });
  });

  it('is unknown where df says something else', () => {
    expect(parseDf("df: '.': Stale file handle\n")).to.equal(undefined);
  });

  it('changes what people are told by steps only', () => {
    const at = (percent: number) => ({ isCurrent: true, space: { size: 1_000, available: 1_000 - 10 * percent } });
    expect([0, 69, 84, 85, 97, 100].map((percent) => coarseUse(at(percent).space))).to.deep.equal([
      0, 50, 70, 85, 95, 100,
    ]);
    expect(hasDiskChanged(undefined, at(10))).to.equal(true);
    expect(hasDiskChanged(at(86), at(89))).to.equal(false);
    expect(hasDiskChanged(at(89), at(90))).to.equal(true);
    expect(hasDiskChanged(at(90), { ...at(90), isCurrent: false }), 'what was told last stands').to.equal(false);
  });
});
