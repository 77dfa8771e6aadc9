import { expect } from 'chai';
import fc from 'fast-check';
import { type TlsFacts, type TlsMember, type TlsPhases, tlsPhases } from './phases.ts';

function member(name: string, overrides: Partial<TlsMember> = {}): TlsMember {
  return { name, offers: true, serves: true, verifies: true, plainClients: [], ...overrides };
}

const off = { offers: false, serves: false, verifies: false };
const before: TlsFacts = {
  wanted: true,
  members: [member('a', off), member('b', off)],
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
      use: true,
      demand: false,
    });
  });

  it('is nowhere while nobody wants it', () => {
    const phases = tlsPhases({ ...before, wanted: false });
    expect(phases).to.deep.equal({ offer: false, verify: false, use: false, demand: false });
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

  it('goes on offering it while a pod of the application, or a standby, may ask for it', () => {
    const members = [member('a', { verifies: false }), member('b', { verifies: false })];
    const last = { ...after, members, wanted: false, demanded: false, used: false };
    expect(tlsPhases({ ...last, current: false }).offer).to.equal(true);
    expect(tlsPhases({ ...last, members: after.members }).offer).to.equal(true);
    expect(tlsPhases({ ...last, members: after.members }).progress).to.contain('waits for a, b to follow');
    expect(tlsPhases(last)).to.deep.equal({ offer: false, verify: false, use: false, demand: false });
  });

  /** A platform that follows what is planned, each part in its own time. */
  interface World {
    wanted: boolean;
    members: { offers: boolean; verifies: boolean; fileVerifies: boolean }[];
    /** Which member is the primary. */
    primary: number;
    used: boolean;
    /** `annotated`: for which address it was made; a container that restarts reads the one that there is. */
    pods: { mounted: boolean; uses: boolean; annotated: number }[];
    /** Of the address. */
    revision: number;
    wasWanted: boolean;
    demanded: boolean;
  }

  function factsOf({ wanted, members, primary, used, pods, demanded, revision }: World): TlsFacts {
    return {
      wanted,
      members: members.map(({ offers, verifies }, index) => ({
        name: `m${index}`,
        offers,
        serves: offers,
        verifies: index !== primary && verifies,
        plainClients: pods.some(({ uses }) => !uses) && index === primary ? ['app'] : [],
      })),
      used,
      mounted: pods.every(({ mounted }) => mounted),
      current: pods.every(({ annotated }) => annotated === revision),
      demanded,
    };
  }

  function check({ members, primary, pods, demanded }: World): void {
    const server = members[primary];
    for (const pod of pods) {
      if (pod.uses) expect([server?.offers, pod.mounted], 'a pod that demands TLS').to.deep.equal([true, true]);
      else expect(server?.offers === true && demanded, 'a pod without TLS').to.equal(false);
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
      fc.constant({ what: 'wish' as const, which: 0 }),
    );
    fc.assert(
      fc.property(fc.array(event, { minLength: 40, maxLength: 200 }), (events) => {
        const world: World = {
          wanted: false,
          members: [0, 1, 2].map(() => ({ offers: false, verifies: false, fileVerifies: false })),
          primary: 0,
          used: false,
          pods: [0, 1].map(() => ({ mounted: false, uses: false, annotated: 0 })),
          demanded: false,
          wasWanted: false,
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
            Object.assign(pod, { mounted: world.wasWanted, uses: world.used, annotated: world.revision });
          if (what === 'restart' && pod !== undefined) pod.uses = world.used;
          if (what === 'switchover') world.primary = which;
          if (what === 'address' && world.used !== phases.use) {
            world.used = phases.use;
            world.revision += 1;
          }
          if (what === 'rules') world.demanded = phases.demand;
          if (what === 'wish') world.wanted = !world.wanted;
          world.wasWanted ||= world.wanted;
          check(world);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
