import { expect } from 'chai';
import { blockRule } from './block.ts';

describe('block of a port', () => {
  it('drops what is sent there, and nothing else', () => {
    expect(blockRule('--insert', 5672).join(' ')).to.equal('--insert OUTPUT --protocol tcp --dport 5672 --jump DROP');
  });

  it('is undone by the rule that it was made with', () => {
    const [inserted, deleted] = [blockRule('--insert', 5672), blockRule('--delete', 5672)];
    expect(deleted.slice(1)).to.deep.equal(inserted.slice(1));
  });
});
