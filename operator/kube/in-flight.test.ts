import { expect } from 'chai';
import { InFlight } from './in-flight.ts';

describe('requests in flight', () => {
  const never = new AbortController().signal;
  const soon = async () => await new Promise((resolve) => setImmediate(resolve));

  it('are as many as allowed, and the next in the order in which they came', async () => {
    const places = new InFlight(2);
    const [first, second] = [await places.enter(never), await places.enter(never)];
    const order: string[] = [];
    const third = places.enter(never).then((leave) => {
      order.push('third');
      return leave;
    });
    const fourth = places.enter(never).then((leave) => {
      order.push('fourth');
      return leave;
    });
    await soon();
    expect(order).to.deep.equal([]);
    first();
    await soon();
    expect(order).to.deep.equal(['third']);
    second();
    (await third)();
    (await fourth)();
    expect(order).to.deep.equal(['third', 'fourth']);
    expect(await places.enter(never)).to.be.a('function');
  });

  it('leave the queue when they are given up, and take nobody’s place', async () => {
    const places = new InFlight(1);
    const leave = await places.enter(never);
    const stop = new AbortController();
    const given = places.enter(stop.signal).then(
      () => 'in',
      (reason: unknown) => reason,
    );
    const reason = new Error('stop');
    stop.abort(reason);
    expect(await given).to.equal(reason);
    leave();
    (await places.enter(never))();
    (await places.enter(never))();
  });
});
