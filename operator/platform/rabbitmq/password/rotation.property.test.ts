import { expect } from 'chai';
import fc from 'fast-check';
import { World } from './testing/world.ts';

const RUNS = Math.min(1_000, Number(process.env['PROPERTY_RUNS'] ?? 100));
/** A kubelet follows a Secret within this time; the rest of two minutes is for what the operator has not heard yet. */
const LAG_MS = 100_000;

const lagMs = fc.nat({ max: LAG_MS });
/** What may happen next, in any order. */
const event = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ type: 'reconcile' as const, lostAfter: 99 }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('reconcile' as const), lostAfter: fc.nat({ max: 2 }) }) },
  { weight: 6, arbitrary: fc.constant({ type: 'probe' as const }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('replace' as const), which: fc.nat({ max: 1 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('connect' as const), which: fc.nat({ max: 1 }) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('disconnect' as const), which: fc.nat({ max: 1 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('restart' as const), lagMs }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('wipe' as const), lagMs }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('time' as const), seconds: fc.nat({ max: 200 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('request' as const), value: fc.constantFrom('a', 'b', 'c') }) },
);

/** Nobody is refused: neither a pod with what it read when it was made, nor one that starts now. And what was revoked stays so. */
function check(world: World): void {
  if (world.isOver) expect([...world.users.keys()], 'who can log in').to.have.length(1);
  for (const login of world.logins())
    expect(world.isValid(login), `${login.username} ${login.password}`).to.equal(true);
}

/** Until nothing is left to be done. */
function settle(world: World): void {
  for (let turn = 0; turn < 80; turn++) {
    world.probe();
    world.reconcile(99);
    check(world);
    for (const name of world.podNames) world.replacePod(name);
    world.pass(20_000);
  }
}

describe('the two users of RabbitMQ that take turns', function () {
  this.timeout(300_000);

  it('have no moment at which a pod is refused, whatever starts when with what, and wherever the operator ends', () => {
    let finished = 0;
    fc.assert(
      fc.property(fc.array(event, { minLength: 40, maxLength: 160 }), (events) => {
        const world = new World();
        world.request = 'first';
        const before = world.logins()[0]?.username;
        for (const one of events) {
          const name = 'which' in one ? (world.podNames[one.which] ?? '') : '';
          const pod = world.pods.get(name);
          if (one.type === 'reconcile') world.reconcile(one.lostAfter);
          if (one.type === 'probe') world.probe();
          if (one.type === 'replace') world.replacePod(name);
          if (one.type === 'connect' && pod !== undefined) pod.connected = true;
          if (one.type === 'disconnect' && pod !== undefined) pod.connected = false;
          if (one.type === 'restart') world.restart(one.lagMs);
          if (one.type === 'wipe') world.wipe(one.lagMs);
          if (one.type === 'time') world.pass(one.seconds * 1_000);
          if (one.type === 'request') world.request = one.value;
          check(world);
        }
        if (world.logins()[0]?.username !== before) finished += 1;
        settle(world);
        expect(world.secret('acme-rabbitmq')?.metadata.annotations, world.said.join('\n')).to.deep.equal({
          'isp.support/rotated-for': world.request,
          'isp.support/retired-for': world.request,
        });
        expect([...world.users.keys()], 'who can log in').to.deep.equal([world.logins()[0]?.username]);
        expect(world.secret('acme-rabbitmq-next')).to.equal(undefined);
      }),
      { numRuns: RUNS },
    );
    expect(finished, 'rotations that came into force on the way').to.be.greaterThan(RUNS / 10);
  });

  it('are one again when a node has made the revoked one anew from what it had mounted long ago', () => {
    const world = new World();
    world.request = 'one';
    settle(world);
    const [login] = world.logins();
    world.restart(10_000_000);
    expect([...world.users.keys()]).to.have.length(2);
    world.probe();
    world.reconcile(99);
    expect([...world.users.keys()]).to.deep.equal([login?.username]);
    check(world);
  });
});
