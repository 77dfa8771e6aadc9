import { expect } from 'chai';
import { abortable } from './abortable.ts';

describe('abortable', () => {
  const never = new AbortController().signal;

  async function reasonOf(work: Promise<unknown>): Promise<unknown> {
    return await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
  }

  it('gives the result of the work, or its failure', async () => {
    expect(await abortable(Promise.resolve(7), never)).to.equal(7);
    const failure = new Error('no');
    expect(await reasonOf(abortable(Promise.reject(failure), never))).to.equal(failure);
  });

  it('ends when the signal fires though the work does not, and hands over what comes late', async () => {
    const work = Promise.withResolvers<number>();
    const stop = new AbortController();
    const late: number[] = [];
    const call = reasonOf(abortable(work.promise, stop.signal, (result) => late.push(result)));
    const reason = new Error('stop');
    stop.abort(reason);
    expect(await call).to.equal(reason);
    work.resolve(7);
    await work.promise;
    expect(late).to.deep.equal([7]);
  });

  it('ends at once with a signal that has fired before, and lets the work fail unheard', async () => {
    const reason = new Error('stop');
    const work = Promise.withResolvers<number>();
    expect(await reasonOf(abortable(work.promise, AbortSignal.abort(reason)))).to.equal(reason);
    work.reject(new Error('late'));
    await new Promise((resolve) => setTimeout(resolve, 5));
  });
});
