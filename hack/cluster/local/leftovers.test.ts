import { expect } from 'chai';
import { mountsUnder } from './leftovers.ts';

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
