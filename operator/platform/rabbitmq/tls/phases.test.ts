import { expect } from 'chai';
import fc from 'fast-check';
import type { Listening } from './names.ts';
import { type TlsFacts, type TlsNode, type TlsPhases, tlsPhases } from './phases.ts';

const node = (name: string, listens: Listening, serves = listens !== 'plain'): TlsNode => ({ name, listens, serves });
const all = (listens: Listening): TlsNode[] => ['a', 'b', 'c'].map((name) => node(name, listens));

/** A platform that has served without TLS, and is to do it with. */
const before: TlsFacts = {
  wanted: true,
  issued: true,
  template: 'plain',
  nodes: all('plain'),
  published: true,
  used: false,
  mounted: false,
  current: true,
  plainClients: undefined,
};
const offered: TlsFacts = { ...before, template: 'both', nodes: all('both') };
const asked: TlsFacts = { ...offered, mounted: true, used: true, plainClients: [] };
const after: TlsFacts = { ...asked, template: 'tls', nodes: all('tls'), plainClients: undefined };

describe('TLS for RabbitMQ that is turned on and off', () => {
  it('is all there is on a platform that is new, before and after the application is told an address', () => {
    const empty = { ...before, issued: false, template: undefined, nodes: [], mounted: true };
    expect(tlsPhases({ ...empty, published: false })).to.deep.equal({ listen: 'tls', use: true });
    expect(tlsPhases({ ...empty, used: true })).to.deep.equal({ listen: 'tls', use: true });
  });

  it('is nowhere while nobody wants it', () => {
    for (const template of [undefined, 'plain'] as const)
      expect(tlsPhases({ ...before, wanted: false, template })).to.deep.equal({ listen: 'plain', use: false });
  });

  const steps: readonly [string, TlsFacts, Omit<TlsPhases, 'progress'>, string | undefined][] = [
    [
      'gives nodes no certificate that is not there',
      { ...before, issued: false },
      { listen: 'plain', use: false },
      'the certificate',
    ],
    ['offers it first', before, { listen: 'both', use: false }, 'a, b, c to serve with it'],
    [
      'changes no address before every node was seen to serve with it',
      { ...offered, mounted: true, nodes: [node('a', 'both'), node('b', 'both', false), node('c', 'plain')] },
      { listen: 'both', use: false },
      'b, c to serve with it',
    ],
    [
      'changes no address before the application has the authority',
      offered,
      { listen: 'both', use: false },
      'to have the authority',
    ],
    ['then changes the address', { ...offered, mounted: true }, { listen: 'both', use: true }, 'to use it'],
    [
      'does not demand it of pods with the last address',
      { ...asked, current: false },
      { listen: 'both', use: true },
      'the pods of the application to use it',
    ],
    [
      'does not demand it before anybody could say who is connected',
      { ...asked, plainClients: undefined },
      { listen: 'both', use: true },
      'to be asked who is connected',
    ],
    [
      'does not demand it of clients that are not of the application, and names them',
      { ...asked, plainClients: ['report (nightly)'] },
      { listen: 'both', use: true },
      'connected without it: report (nightly)',
    ],
    ['demands it when nobody is without it', asked, { listen: 'tls', use: true }, undefined],
    [
      'goes on while nodes are being replaced for that, or are away',
      { ...after, nodes: [node('a', 'both'), node('b', 'tls', false)], current: false },
      { listen: 'tls', use: true },
      undefined,
    ],
    [
      'begins anew where no node is left, for pods that have the address without',
      { ...offered, template: undefined, nodes: [] },
      { listen: 'both', use: false },
      'to have the authority',
    ],
  ];
  for (const [what, facts, phases, progress] of steps)
    it(what, () => {
      const { progress: told, ...planned } = tlsPhases(facts);
      expect(planned).to.deep.equal(phases);
      if (progress === undefined) expect(told).to.equal(undefined);
      else expect(told).to.contain(`waits for `).and.to.contain(progress);
    });

  it('lets plain connections in on every node before it changes the address back, and stops offering last', () => {
    const off = { ...after, wanted: false };
    expect(tlsPhases(off)).to.include({ listen: 'both', use: true });
    const halfway = { ...off, template: 'both', nodes: [node('a', 'both'), node('b', 'tls')] } as const;
    expect(tlsPhases(halfway)).to.include({ listen: 'both', use: true });
    expect(tlsPhases(halfway).progress).to.contain('b to take clients without it');
    const open = { ...off, template: 'both', nodes: all('both') } as const;
    expect(tlsPhases(open)).to.include({ listen: 'both', use: false });
    expect(tlsPhases({ ...open, used: false, current: false })).to.include({ listen: 'both', use: false });
    expect(tlsPhases({ ...open, used: false })).to.deep.equal({ listen: 'plain', use: false });
    expect(tlsPhases({ ...open, used: false, template: 'plain' })).to.deep.equal({ listen: 'plain', use: false });
  });

  it('refuses no pod of the application at any step, whenever minds change and whatever lags', () => {
    const step = fc.record({
      what: fc.constantFrom('wish', 'issue', 'template', 'node', 'address', 'bundle', 'pod', 'restart', 'connections'),
      which: fc.nat(2),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (walk) => {
        const world = newWorld();
        for (const { what, which } of walk) {
          take(world, what, which);
          check(world);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

interface AppPod {
  tls: boolean;
  revision: number;
  bundle: boolean;
}

interface World {
  wanted: boolean;
  issued: boolean;
  bundle: boolean;
  template: Listening;
  nodes: Listening[];
  used: boolean;
  revision: number;
  pods: AppPod[];
  /** The last answer about who is connected. */
  seen: readonly string[] | undefined;
}

function newWorld(): World {
  const pod = (): AppPod => ({ tls: false, revision: 0, bundle: false });
  return {
    wanted: false,
    issued: false,
    bundle: false,
    template: 'plain',
    nodes: ['plain', 'plain', 'plain'],
    used: false,
    revision: 0,
    pods: [pod(), pod()],
    seen: undefined,
  };
}

function phasesOf(world: World): TlsPhases {
  return tlsPhases({
    wanted: world.wanted,
    issued: world.issued,
    template: world.template,
    nodes: world.nodes.map((listens, index) => node(String(index), listens)),
    published: true,
    used: world.used,
    mounted: world.pods.every(({ bundle }) => bundle),
    current: world.pods.every(({ revision }) => revision === world.revision),
    plainClients: world.seen,
  });
}

/** One thing that happens, in any order: what was decided is carried out by different hands at different times. */
function take(world: World, what: string, which: number): void {
  const { listen, use } = phasesOf(world);
  const pod = world.pods[which % world.pods.length];
  switch (what) {
    case 'wish':
      world.wanted = !world.wanted;
      world.seen = undefined;
      return;
    case 'issue':
      world.issued ||= world.wanted;
      return;
    case 'bundle':
      world.bundle ||= world.issued;
      return;
    case 'template':
      world.template = listen;
      return;
    case 'node':
      world.nodes[which] = world.template;
      return;
    case 'address':
      if (world.used !== use) world.revision += 1;
      world.used = use;
      return;
    case 'pod':
      if (pod !== undefined) Object.assign(pod, { tls: world.used, revision: world.revision, bundle: world.bundle });
      return;
    case 'restart':
      // A container that restarts reads the address that there is by then, and keeps what was mounted.
      if (pod !== undefined) pod.tls = world.used;
      return;
    default:
      world.seen = world.used && world.wanted ? world.pods.flatMap(({ tls }) => (tls ? [] : ['app'])) : undefined;
  }
}

function check({ nodes, used, pods, issued, template }: World): void {
  for (const { tls, bundle } of pods) {
    for (const listens of nodes)
      expect(listens, `a pod with${tls ? '' : 'out'} TLS`).to.not.equal(tls ? 'plain' : 'tls');
    if (used) expect(bundle, 'whoever reads the address has the bundle').to.equal(true);
  }
  for (const listens of [template, ...nodes]) if (listens !== 'plain') expect(issued).to.equal(true);
}
