import { expect } from 'chai';
import { containerFilter, parseTasks } from './faults.ts';

describe('container to be broken', () => {
  it('is looked for among containers, not the sandbox of the pod', () => {
    const filter = containerFilter({ namespace: 'shop', pod: 'db-0' });
    expect(filter).to.contain('labels."io.kubernetes.pod.name"==db-0');
    expect(filter).to.contain('labels."io.cri-containerd.kind"==container');
    expect(filter).not.to.contain('container.name');
  });

  it('is looked for by its own name as well when that is given', () => {
    const filter = containerFilter({ namespace: 'shop', pod: 'db-0', container: 'postgres' });
    expect(filter).to.contain('labels."io.kubernetes.container.name"==postgres');
  });

  it('is one that runs', () => {
    const listed = 'TASK    PID     STATUS    \nabc     4711    RUNNING\ndef     4712    STOPPED\n';
    expect([...parseTasks(listed)]).to.deep.equal([['abc', 4711]]);
  });
});
