import { expect } from 'chai';
import {
  type Condition,
  findCondition,
  type NewCondition,
  removeCondition,
  rfc3339Micro,
  setCondition,
} from './conditions.ts';

const then = new Date('2030-01-01T00:00:00.123Z');
const later = new Date('2030-01-01T01:00:00Z');
const ready: NewCondition = { type: 'Ready', status: 'True', reason: 'AllServed', message: '', observedGeneration: 1 };

describe('conditions', () => {
  it('keep the time of transition unless the status changes', () => {
    const first = setCondition([], ready, then);
    expect(first[0]?.lastTransitionTime).to.equal('2030-01-01T00:00:00Z');
    const reworded = setCondition(first, { ...ready, reason: 'Other', observedGeneration: 2 }, later);
    expect(reworded[0]).to.include({
      reason: 'Other',
      observedGeneration: 2,
      lastTransitionTime: '2030-01-01T00:00:00Z',
    });
    const failed = setCondition(reworded, { ...ready, status: 'False' }, later);
    expect(failed[0]?.lastTransitionTime).to.equal('2030-01-01T01:00:00Z');
  });

  it('keep their order, leave the given list alone and come to the same when nothing changed', () => {
    const before: readonly Condition[] = Object.freeze(
      setCondition(setCondition([], ready, then), { ...ready, type: 'Other' }, then),
    );
    const after = setCondition(before, ready, later);
    expect(after).to.deep.equal(before);
    expect(removeCondition(after, 'Ready').map(({ type }) => type)).to.deep.equal(['Other']);
    expect(findCondition(after, 'Other')?.status).to.equal('True');
  });

  it('are written with the digits that the API demands', () => {
    expect(rfc3339Micro(then)).to.equal('2030-01-01T00:00:00.123000Z');
  });
});
