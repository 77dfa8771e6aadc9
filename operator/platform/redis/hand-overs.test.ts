import { expect } from 'chai';
import { ManualClock } from '../../../test/support/clock.ts';
import { HandOvers } from './hand-overs.ts';

describe('hand-overs of Redis', () => {
  const refused = async (): Promise<void> => {
    throw new Error('refused');
  };
  let clock: ManualClock;
  let asked: string[];
  let handOvers: HandOvers;
  const ask = async (id: string): Promise<void> => await handOvers.once(id, async () => void asked.push(id));

  beforeEach(() => {
    clock = new ManualClock();
    asked = [];
    handOvers = new HandOvers(clock);
  });

  it('are asked for once while the engine tries, each for itself, and again when it has given up', async () => {
    await Promise.all([ask('a'), ask('a'), ask('b')]);
    await clock.advance(4_999);
    await ask('a');
    expect(asked).to.deep.equal(['a', 'b']);
    await clock.advance(1);
    await ask('a');
    expect(asked).to.deep.equal(['a', 'b', 'a']);
  });

  it('are asked for again at once when they were refused', async () => {
    const error = await handOvers.once('a', refused).catch((reason: Error) => reason.message);
    expect(error).to.equal('refused');
    await ask('a');
    expect(asked).to.deep.equal(['a']);
  });
});
