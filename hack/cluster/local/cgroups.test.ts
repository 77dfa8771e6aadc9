import { expect } from 'chai';
import { cgroupPathOf, parseCgroupMounts, parseHierarchies } from './cgroups.ts';

const hybrid = `proc /proc proc rw 0 0
tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/freezer cgroup rw,freezer 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
`;

describe('cgroup hierarchies', () => {
  it('are those of version 1 on a hybrid machine', () => {
    const mounts = ['/sys/fs/cgroup/cpu,cpuacct', '/sys/fs/cgroup/freezer'];
    expect(parseHierarchies(hybrid)).to.deep.equal({ version: 1, mounts });
  });

  it('are taken away from the unified one of a hybrid machine as well', () => {
    expect(parseCgroupMounts(hybrid)).to.deep.equal([
      '/sys/fs/cgroup/cpu,cpuacct',
      '/sys/fs/cgroup/freezer',
      '/sys/fs/cgroup/unified',
    ]);
  });

  it('are one of version 2 on a unified machine', () => {
    const mounts = 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n';
    expect(parseHierarchies(mounts)).to.deep.equal({ version: 2, mounts: ['/sys/fs/cgroup'] });
  });
});

describe('cgroup of a process', () => {
  const v1 = '9:name=systemd:/\n6:freezer:/isp-support/node1/pod\n2:cpu,cpuacct:/other\n0::/\n';

  it('is the path in the controller that is asked for, in version 1', () => {
    expect(cgroupPathOf(v1, 1, 'freezer')).to.equal('/isp-support/node1/pod');
    expect(cgroupPathOf(v1, 1, 'cpuacct')).to.equal('/other');
  });

  it('is the only path there is, in version 2', () => {
    expect(cgroupPathOf('0::/isp-support/node1/pod\n', 2, 'freezer')).to.equal('/isp-support/node1/pod');
  });

  it('is unknown without that controller', () => {
    expect(cgroupPathOf(v1, 1, 'memory')).to.equal(undefined);
  });
});
