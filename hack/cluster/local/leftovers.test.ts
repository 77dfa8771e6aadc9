import { expect } from 'chai';
import { mountsUnder, sandboxIds } from './leftovers.ts';

describe('leftover mounts', () => {
  const mounts = `/dev/vda / ext4 rw 0 0
overlay /state/node1/rootfs overlay rw 0 0
tmpfs /state/node1/rootfs/with\\040space tmpfs rw 0 0
tmpfs /state-of-others tmpfs rw 0 0
`;

  it('are those under the folder, the deepest first', () => {
    expect(mountsUnder('/state', mounts)).to.deep.equal(['/state/node1/rootfs/with space', '/state/node1/rootfs']);
  });
});

describe('leftover records of pods', () => {
  const id = 'ab'.repeat(32);

  it('are those of our own network, not of another', () => {
    expect(
      sandboxIds([`isp-support-pods-${id}-eth0`, `cni-loopback-${id}-lo`, `podman-${'cd'.repeat(32)}-eth0`]),
    ).to.deep.equal([id]);
  });
});
