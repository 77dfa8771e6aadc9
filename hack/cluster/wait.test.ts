import { expect } from 'chai';
import { waitFor } from './wait.ts';

describe('waiting', () => {
  it('ends with the first value there is', async () => {
    let asked = 0;
    const value = await waitFor('it', async () => (++asked === 3 ? 'here' : undefined), {
      timeoutMs: 1000,
      intervalMs: 1,
    });
    expect([value, asked]).to.deep.equal(['here', 3]);
  });

  it('says what it waited for when the time is over', async () => {
    const error = await waitFor('the server', async () => undefined, { timeoutMs: 5, intervalMs: 1 }).catch(
      (thrown: Error) => thrown,
    );
    expect(error).to.have.property('message', 'the server: not within 0.005 s');
  });
});
