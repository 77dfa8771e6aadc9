import { expect } from 'chai';
import { scopeOf } from '../core/testing/scope.ts';
import { decide } from './decide.ts';
import { World } from './testing/world.ts';

const DAY_MS = 24 * 60 * 60_000;

describe('the certificates', () => {
  let world: World;

  beforeEach(async () => {
    world = new World();
    await world.settle();
  });

  it('are not made, and not taken away, while nobody serves with TLS', () => {
    const plan = decide(scopeOf(), []);
    expect(plan).to.deep.include({ objects: [] });
    expect(plan.condition).to.include({ status: 'True', reason: 'NotWanted' });
  });

  it('are an authority, a bundle and a leaf for whoever serves, and then nothing is left to do', () => {
    expect([...world.objects.keys()]).to.have.members([
      'Secret/acme-ca',
      'ConfigMap/acme-ca',
      'Secret/acme-postgres-tls',
    ]);
    const plan = world.plan();
    expect([plan.actions, plan.patches]).to.deep.equal([[], []]);
    expect(plan.condition).to.include({ status: 'True', reason: 'Valid' });
    expect(plan.satisfied).to.equal(true);
  });

  it('let nothing go on that serves with them before they are there', () => {
    expect(new World().plan()).to.include({ satisfied: false });
  });

  it('keep the key of the authority out of what clients mount', () => {
    expect(JSON.stringify(world.objects.get('ConfigMap/acme-ca'))).to.not.contain('PRIVATE KEY');
  });

  const reasons: readonly [string, (world: World) => void, string][] = [
    ['that expires within four months', (it) => it.pass(246 * DAY_MS), 'Expiring'],
    [
      'that lacks a name',
      (it) => Object.assign(it, { leaf: { ...it.leaf, dnsNames: ['db', 'other'] } }),
      'NamesMissing',
    ],
    ['that is gone', (it) => void it.objects.delete('Secret/acme-postgres-tls'), 'Missing'],
    [
      'whose key is that of another',
      (it) => {
        const secret = it.objects.get('Secret/acme-postgres-tls') as unknown as { data: Record<string, string> };
        const key =
          (it.objects.get('Secret/acme-ca') as unknown as { data: Record<string, string> }).data['tls.key'] ?? '';
        it.objects.set('Secret/acme-postgres-tls', { ...secret, data: { ...secret.data, 'tls.key': key } } as never);
      },
      'Unreadable',
    ],
  ];
  for (const [what, change, because] of reasons) {
    it(`issue a leaf anew ${what}, by the same authority`, async () => {
      const before = world.authority()?.current.id;
      change(world);
      expect(world.plan().actions).to.deep.equal([{ type: 'certificates.issue', leaf: world.leaf, because }]);
      await world.settle();
      expect(world.authority()?.current.id).to.equal(before);
    });
  }

  it('leave a leaf alone that is good for more than four months', () => {
    world.pass(244 * DAY_MS);
    expect(world.plan().actions).to.deep.equal([]);
  });

  it('look again when something is due, and once a day', () => {
    expect(world.plan().requeueAfterMs).to.equal(DAY_MS);
    world.pass(244.5 * DAY_MS);
    expect(world.plan().requeueAfterMs).to.be.below(DAY_MS);
  });

  it('replace the authority for each request once, and say so', async () => {
    const first = world.authority()?.current.id;
    world.request = 'monday';
    await world.settle();
    const second = world.authority()?.current.id;
    expect(second).to.not.equal(first);
    expect(world.plan().status?.certificates?.rotation).to.deep.equal({ phase: 'Idle', request: 'monday' });
    expect(world.plan().status?.certificates?.trusted).to.deep.equal([second]);
    await world.settle();
    expect(world.authority()?.current.id).to.equal(second);
    world.request = 'tuesday';
    await world.settle();
    expect(world.authority()?.current.id).to.not.equal(second);
  });

  it('replace the authority two years before its end', async () => {
    const first = world.authority()?.current.id;
    world.pass((3650 - 731) * DAY_MS);
    await world.settle();
    expect(world.authority()?.current.id).to.equal(first);
    world.pass(2 * DAY_MS);
    await world.settle();
    expect(world.authority()?.current.id).to.not.equal(first);
  });

  it('sign nothing with a new authority while anybody does not trust it, and say who', async () => {
    world.request = 'monday';
    await world.reconcile();
    await world.reconcile();
    world.mountBundle(0);
    world.pass(DAY_MS);
    const plan = await world.reconcile();
    expect(world.phase).to.equal('Trusting');
    expect(plan.condition.message).to.contain('client 1').and.not.contain('client 0');
    world.mountBundle(1);
    await world.reconcile();
    expect(world.phase).to.equal('Replacing');
  });

  it('trust the last authority until the server serves with a leaf of the new one', async () => {
    const first = world.authority()?.current.id;
    world.request = 'monday';
    await world.reconcile();
    await world.reconcile();
    world.mountBundle(0);
    world.mountBundle(1);
    for (let step = 0; step < 4; step += 1) {
      world.pass(DAY_MS);
      await world.reconcile();
    }
    expect(world.plan().condition.message).to.contain('the server');
    expect(world.plan().status?.certificates?.trusted).to.contain(first);
    world.serveLeaf();
    await world.reconcile();
    expect(world.plan().status?.certificates?.trusted).to.not.contain(first);
  });

  it('go on trusting an authority whose Secret was lost, and replace it', async () => {
    const lost = world.authority()?.current.id;
    world.objects.delete('Secret/acme-ca');
    await world.reconcile();
    await world.reconcile();
    await world.reconcile();
    expect(world.plan().satisfied).to.equal(true);
    expect(world.plan().status?.certificates?.trusted).to.contain(lost).and.to.have.length(2);
    await world.settle();
    expect(world.plan().status?.certificates?.trusted).to.not.contain(lost);
  });

  it('go on trusting both authorities when their Secret is lost in the middle of a rotation', async () => {
    world.request = 'monday';
    await world.reconcile();
    await world.reconcile();
    world.mountBundle(0);
    world.mountBundle(1);
    for (let step = 0; step < 4; step += 1) {
      world.pass(11 * 60_000);
      await world.reconcile();
    }
    const both = world.plan().status?.certificates?.trusted ?? [];
    world.objects.delete('Secret/acme-ca');
    await world.reconcile();
    await world.reconcile();
    expect(world.plan().status?.certificates?.trusted).to.include.members(both).and.to.have.length(2);
    world.serveLeaf();
    await world.settle();
  });

  it('name a Secret that somebody has spoilt, and touch nothing', () => {
    const secret = world.objects.get('Secret/acme-ca');
    world.objects.set('Secret/acme-ca', { ...secret, data: { 'tls.crt': 'eA==' } } as never);
    const plan = world.plan();
    expect(plan.condition).to.include({ status: 'True', reason: 'Unreadable', degraded: true });
    expect(plan.satisfied, 'what serves is not held up').to.equal(true);
    expect(plan.condition.message).to.contain('acme-ca');
    expect(plan.actions ?? []).to.deep.equal([]);
  });
});
