import { expect } from 'chai';
import { criticalNodes } from './quorum.ts';

describe('nodes that a quorum depends on', () => {
  const members = ['a', 'b', 'c'];

  it('are none while every queue can lose one', () => {
    expect(criticalNodes([{ members, online: members }])).to.deep.equal([]);
  });

  it('are those that are left when a queue can lose no more', () => {
    expect(
      criticalNodes([
        { members, online: ['c', 'a'] },
        { members, online: members },
      ]),
    ).to.deep.equal(['a', 'c']);
  });

  it('include the only one of a queue that has no replicas', () => {
    expect(criticalNodes([{ members: ['b'], online: ['b'] }])).to.deep.equal(['b']);
  });

  it('leave out queues of other types, which have no members', () => {
    expect(criticalNodes([{ members: [], online: [] }])).to.deep.equal([]);
  });

  it('count two of four as no majority', () => {
    expect(criticalNodes([{ members: ['a', 'b', 'c', 'd'], online: ['a', 'b', 'c'] }])).to.deep.equal(['a', 'b', 'c']);
  });
});
