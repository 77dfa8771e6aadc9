import { expect } from 'chai';
import fc from 'fast-check';
import { type TlsFacts, type TlsMember, type TlsPhases, type TlsPooler, tlsPhases } from './phases.ts';

function member(name: string, overrides: Partial<TlsMember> = {}): TlsMember {
  return { name, offers: true, serves: true, verifies: true, plainClients: [], ...overrides };
}

function pooler(overrides: Partial<TlsPooler> = {}): TlsPooler {
  return { name: 'pooler', offers: true, serves: true, demands: false, plainClients: [], ...overrides };
}

const off = { offers: false, serves: false, verifies: false };
const before: TlsFacts = {
  wanted: true,
  members: [member('a', off), member('b', off)],
  poolers: [],
  used: false,
  mounted: false,
  current: true,
  demanded: false,
};
const after: TlsFacts = { ...before, members: [member('a'), member('b')], used: true, mounted: true, demanded: true };

describe('TLS that is turned on and off', () => {
  it('begins with everything but the demand on a platform that is new', () => {
    expect(tlsPhases({ ...before, members: [], mounted: true })).to.include({
      offer: true,
      verify: true,
      pool: true,
      use: true,
      demand: false,
    });
  });

  it('is nowhere while nobody wants it', () => {
    const phases = tlsPhases({ ...before, wanted: false });
    expect(phases).to.deep.equal({ offer: false, verify: false, pool: false, use: false, demand: false });
  });

  const steps: readonly [string, Partial<TlsFacts>, Partial<TlsPhases>, string | undefined][] = [
    ['offers it first', {}, { offer: true, verify: false, use: false, demand: false }, 'a, b'],
    [
      'lets a standby with it follow a primary without it',
      { members: [member('a', off), member('b', { verifies: false })] },
      { verify: false, use: false },
      'a to serve',
    ],
    [
      'changes no address before the application has the authority',
      { members: after.members },
      { verify: true, use: false },
      'the pods of the application to have the authority',
    ],
    ['then changes the address', { members: after.members, mounted: true }, { use: true, demand: false }, 'to use it'],
    [
      'does not demand it of pods with the last address',
      { members: after.members, mounted: true, used: true, current: false },
      { use: true, demand: false },
      'the pods of the application to use it',
    ],
    [
      'does not demand it of clients that are not of the application, and names them',
      { members: [member('a', { plainClients: ['report (psql)'] }), member('b')], mounted: true, used: true },
      { use: true, demand: false },
      'report (psql)',
    ],
    ['demands it when nobody is without it', { ...after, demanded: false }, { demand: true }, undefined],
    [
      'gives poolers no certificate before every server that they lead to has one',
      { members: [member('a'), member('b', off)], poolers: [pooler({ ...off })], mounted: true },
      { pool: false, use: false },
      'b, pooler to serve',
    ],
    [
      'changes no address before every pooler serves with it',
      { members: after.members, poolers: [pooler(), pooler({ serves: false })], mounted: true },
      { pool: true, use: false },
      'waits for pooler to serve',
    ],
    [
      'does not demand it of clients of a pooler, and names them',
      { members: after.members, poolers: [pooler({ plainClients: ['report (psql)'] })], mounted: true, used: true },
      { pool: true, use: true, demand: false },
      'report (psql)',
    ],
    [
      'goes on demanding it while a pooler is put in',
      { ...after, poolers: [pooler({ serves: false })], current: false },
      { pool: true, use: true, demand: true },
      undefined,
    ],
    [
      'goes on demanding it while a member is being replaced',
      { ...after, members: [member('a', { serves: false }), member('b')], current: false },
      { use: true, demand: true },
      undefined,
    ],
  ];
  for (const [what, change, phases, progress] of steps) {
    it(what, () => {
      const planned = tlsPhases({ ...before, ...change });
      expect(planned).to.include(phases);
      if (progress === undefined) expect(planned.progress).to.equal(undefined);
      else expect(planned.progress).to.contain(progress);
    });
  }

  it('lets plain connections in before it changes the address back', () => {
    const first = tlsPhases({ ...after, wanted: false });
    expect(first).to.include({ offer: true, use: true, demand: false });
    const second = tlsPhases({ ...after, wanted: false, demanded: false });
    expect(second).to.include({ offer: true, use: false });
    expect(second.progress).to.contain('waits for the pods of the application to do without it');
  });

  it('has poolers let plain connections in before it changes the address back, and give TLS up last', () => {
    const poolers = [pooler({ demands: true })];
    const demanding = tlsPhases({ ...after, poolers, wanted: false, demanded: false });
    expect(demanding).to.include({ pool: true, use: true, demand: false });
    expect(demanding.progress).to.contain('pooler to take clients without it');
    const asked = tlsPhases({ ...after, poolers: [pooler()], wanted: false, demanded: false });
    expect(asked).to.include({ offer: true, pool: true, use: false });
    const plain = { ...after, poolers: [pooler()], wanted: false, demanded: false, used: false };
    expect(tlsPhases({ ...plain, current: false })).to.include({ offer: true, pool: true });
    expect(tlsPhases(plain)).to.include({ offer: true, pool: false });
    expect(tlsPhases({ ...plain, members: [member('a', { verifies: false })] }).progress).to.contain(
      'pooler to do without',
    );
  });

  it('gives a pooler a certificate that is put in while the application still asks for one', () => {
    expect(tlsPhases({ ...after, wanted: false })).to.include({ pool: true });
    expect(tlsPhases({ ...before, wanted: false, current: false })).to.include({ pool: false });
  });

  it('goes on offering it while a pod of the application, or a standby, may ask for it', () => {
    const members = [member('a', { verifies: false }), member('b', { verifies: false })];
    const last = { ...after, members, wanted: false, demanded: false, used: false };
    expect(tlsPhases({ ...last, current: false }).offer).to.equal(true);
    expect(tlsPhases({ ...last, members: after.members }).offer).to.equal(true);
    expect(tlsPhases({ ...last, members: after.members }).progress).to.contain('waits for a, b to follow');
    expect(tlsPhases(last)).to.deep.equal({ offer: false, verify: false, pool: false, use: false, demand: false });
  });

  /** A platform that follows what is planned, each part in its own time. */
  interface World {
    wanted: boolean;
    members: { offers: boolean; verifies: boolean; fileVerifies: boolean }[];
    /** Which member is the primary. */
    primary: number;
    poolerWanted: boolean;
    poolers: { offers: boolean; demands: boolean }[];
    used: boolean;
    /** DATABASE_URL leads to the poolers. */
    pooled: boolean;
    /** `annotated`: for which address it was made; a container that restarts reads the one that there is. */
    pods: { mounted: boolean; uses: boolean; pooled: boolean; annotated: number }[];
    /** Of the address. */
    revision: number;
    wasWanted: boolean;
    demanded: boolean;
  }

  function factsOf({
    wanted,
    members,
    primary,
    poolerWanted,
    poolers,
    used,
    pods,
    demanded,
    revision,
  }: World): TlsFacts {
    return {
      wanted,
      members: members.map(({ offers, verifies }, index) => ({
        name: `m${index}`,
        offers,
        serves: offers,
        verifies: index !== primary && verifies,
        plainClients: pods.some(({ uses, pooled }) => !uses && !pooled) && index === primary ? ['app'] : [],
      })),
      poolers: poolers.map(({ offers, demands }, index) => ({
        name: `p${index}`,
        offers,
        // One that is to go is not asked any more.
        serves: offers && poolerWanted,
        demands: offers && (demands || !poolerWanted),
        plainClients: pods.some(({ uses, pooled }) => !uses && pooled) ? ['app'] : [],
      })),
      used,
      mounted: pods.every(({ mounted }) => mounted),
      current: pods.every(({ annotated }) => annotated === revision),
      demanded,
    };
  }

  function check({ members, primary, poolers, pods, demanded }: World): void {
    const server = members[primary];
    for (const pooler of poolers) if (pooler.offers) expect(server?.offers, 'a pooler that verifies').to.equal(true);
    for (const { uses, pooled, mounted } of pods) {
      if (uses) expect(mounted, 'a pod that verifies').to.equal(true);
      const reached = pooled ? poolers : [{ offers: server?.offers, demands: demanded }];
      for (const { offers, demands } of reached) {
        if (uses) expect(offers, 'a pod that demands TLS').to.equal(true);
        else expect(offers === true && demands, 'a pod without TLS').to.equal(false);
      }
    }
  }

  it('refuses no pod of the application at any moment, in whatever order the parts follow', () => {
    const event = fc.oneof(
      fc.record({ what: fc.constant('member' as const), which: fc.nat({ max: 2 }) }),
      fc.record({ what: fc.constant('pod' as const), which: fc.nat({ max: 1 }) }),
      fc.record({ what: fc.constant('restart' as const), which: fc.nat({ max: 1 }) }),
      fc.record({ what: fc.constant('switchover' as const), which: fc.nat({ max: 2 }) }),
      fc.constant({ what: 'address' as const, which: 0 }),
      fc.constant({ what: 'rules' as const, which: 0 }),
      fc.record({ what: fc.constant('pooler' as const), which: fc.nat({ max: 1 }) }),
      fc.record({ what: fc.constant('reload' as const), which: fc.nat({ max: 1 }) }),
      fc.constant({ what: 'wish' as const, which: 0 }),
      fc.constant({ what: 'wish for a pooler' as const, which: 0 }),
    );
    fc.assert(
      fc.property(fc.boolean(), fc.array(event, { minLength: 40, maxLength: 200 }), (on, events) => {
        const world: World = {
          wanted: on,
          members: [0, 1, 2].map(() => ({ offers: on, verifies: on, fileVerifies: on })),
          primary: 0,
          poolerWanted: on,
          poolers: on ? [0, 1].map(() => ({ offers: true, demands: true })) : [],
          used: on,
          pooled: on,
          pods: [0, 1].map(() => ({ mounted: on, uses: on, pooled: on, annotated: 0 })),
          demanded: on,
          wasWanted: on,
          revision: 0,
        };
        for (const { what, which } of events) {
          const phases = tlsPhases(factsOf(world));
          const one = world.members[which];
          const pod = world.pods[which];
          if (what === 'member' && one !== undefined)
            Object.assign(one, { offers: phases.offer, verifies: phases.verify });
          // A pod that is made now reads the Secret as it is, and has the bundle if there is one.
          if (what === 'pod' && pod !== undefined)
            Object.assign(pod, {
              mounted: world.wasWanted,
              uses: world.used,
              pooled: world.pooled,
              annotated: world.revision,
            });
          if (what === 'restart' && pod !== undefined) Object.assign(pod, { uses: world.used, pooled: world.pooled });
          // One that is made now has the settings that there are; none is taken away that a pod may go through.
          if (what === 'pooler' && world.poolerWanted)
            world.poolers[Math.min(which, world.poolers.length)] = {
              offers: phases.pool,
              demands: phases.pool && phases.demand,
            };
          if (what === 'pooler' && !world.poolerWanted && !world.pooled && world.pods.every(({ pooled }) => !pooled))
            world.poolers = [];
          if (what === 'reload' && world.poolerWanted && world.poolers[which]?.offers === true)
            world.poolers[which].demands = phases.demand;
          if (what === 'switchover') world.primary = which;
          if (what === 'address') {
            const isThere = world.poolers.length > 0 && (!phases.use || world.poolers.every(({ offers }) => offers));
            const pooled = world.poolerWanted && (world.pooled || isThere);
            if (world.used !== phases.use || world.pooled !== pooled) world.revision += 1;
            Object.assign(world, { used: phases.use, pooled });
          }
          if (what === 'rules') world.demanded = phases.demand;
          if (what === 'wish') world.wanted = !world.wanted;
          if (what === 'wish for a pooler') world.poolerWanted = !world.poolerWanted;
          world.wasWanted ||= world.wanted;
          check(world);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
