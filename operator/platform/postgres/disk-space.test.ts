import { expect } from 'chai';
import { coarseUse, hasDiskChanged, parseDf, roomWish } from './disk-space.ts';
import { healthy, scopeWith } from './fixtures.ts';
import { leadership } from './leadership.ts';
import type { Member } from './observe.ts';

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

  it('moves a primary whose volume is as good as full, to one that has room, and no other', () => {
    const GIB = 2 ** 30;
    const scope = scopeWith();
    const members = healthy().members;
    const wishAt = (available: number) =>
      roomWish(
        scope,
        leadership(healthy({ members: members.map((one, at) => (at === 0 ? withRoom(one, available) : one)) })),
      );
    expect(wishAt(GIB)).to.equal(undefined);
    expect(wishAt(32 * 2 ** 20)).to.equal(undefined);
    const wish = wishAt(31 * 2 ** 20);
    expect(wish?.reason).to.equal('DiskFull');
    const [, standby] = members as [Member, Member];
    expect(
      [withRoom(standby, 5 * GIB), withRoom(standby, GIB), standby].map((one) => wish?.isAllowed(one)),
    ).to.deep.equal([true, false, false]);
    expect(roomWish(scope, leadership(healthy())), 'before anybody was asked').to.equal(undefined);
    const { effective } = scope;
    const alone = { ...scope, effective: { ...effective, failover: { ...effective.failover, enabled: false } } };
    const full = healthy({ members: members.map((one, at) => (at === 0 ? withRoom(one, 0) : one)) });
    expect(roomWish(alone, leadership(full)), 'where Patroni alone decides').to.equal(undefined);
  });
});

function withRoom(member: Member, available: number): Member {
  return { ...member, disk: { size: 10 * 2 ** 30, available } };
}
