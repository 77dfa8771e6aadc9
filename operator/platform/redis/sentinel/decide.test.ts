import { expect } from 'chai';
import type { StatefulSet } from '../../../kube/resources.ts';
import { wanted as clusterWanted, platform } from '../testing/fixtures.ts';
import { isSentinelAction } from './actions.ts';
import { liveServerSettings, WATCH_SETTINGS } from './config.ts';
import { decide } from './decide.ts';
import type { Member, SentinelObserved } from './observe.ts';
import type { SentinelView, ServerView, Watched } from './views.ts';

const wanted = { ...clusterWanted, mode: 'sentinel', shards: 1, replicasPerShard: 2 } as const;
const refused = { kind: 'problem', problem: 'refused', message: 'refuses connections' } as const;

const at = (pod: string) => ({ host: pod, port: 1 });
const server = (ordinal: number) => `acme-redis-${ordinal}`;
const sentinel = (ordinal: number) => `acme-redis-sentinel-${ordinal}`;
const peer = (pod: string, flags: string[] = []) => ({ id: `id of ${pod}`, address: at(pod), flags });

function member<V>(name: string, ordinal: number, answer: Member<V>['answer']): Member<V> {
  const identity = { name, uid: name, ordinal, announced: at(name), address: { host: '10.0.0.1', port: 1 } };
  return { ...identity, deleting: false, outdated: false, ...(answer === undefined ? {} : { answer }) };
}

function serverView(fields: Partial<ServerView> = {}): ServerView {
  const settings = liveServerSettings(wanted);
  return {
    kind: 'view',
    id: 'run',
    role: 'replica',
    linkUp: true,
    connecting: false,
    empty: false,
    settings,
    ...fields,
  };
}

function watching(primary: number, own: number, fields: Partial<Watched> = {}): SentinelView {
  const watched: Watched = {
    address: at(server(primary)),
    flags: [],
    epoch: 1,
    settings: WATCH_SETTINGS,
    replicas: [0, 1, 2].filter((i) => i !== primary).map((i) => peer(server(i))),
    sentinels: [0, 1, 2].filter((i) => i !== own).map((i) => peer(sentinel(i))),
    ...fields,
  };
  return { kind: 'view', id: `id of ${sentinel(own)}`, watched };
}

/** Three servers of which the first is the primary, and three Sentinels that watch it; with these answers instead. */
function observed(
  servers: Readonly<Record<number, Member<ServerView>['answer']>> = {},
  sentinels: Readonly<Record<number, Member<SentinelView>['answer']>> = {},
): SentinelObserved {
  const view = (i: number) => serverView(i === 0 ? { role: 'primary', linkUp: false } : { follows: at(server(0)) });
  return {
    wanted,
    liveServers: { replicas: 3, storage: wanted.storage },
    forgets: true,
    servers: [0, 1, 2].map((i) => member(server(i), i, i in servers ? servers[i] : view(i))),
    sentinels: [0, 1, 2].map((i) => member(sentinel(i), i, i in sentinels ? sentinels[i] : watching(0, i))),
  };
}

function outcome(of: SentinelObserved) {
  const { condition, actions = [], remove = [] } = decide(platform, of, []);
  const done = actions.map((action) => (isSentinelAction(action) ? `${action.type} ${action.node.pod}` : action.type));
  return { reason: condition.reason, actions: done, removed: remove.map(({ ref }) => ref.name) };
}

function outdate(of: SentinelObserved, ...pods: string[]): SentinelObserved {
  const mark = <V>(one: Member<V>) => ({ ...one, outdated: pods.includes(one.name) });
  return { ...of, servers: of.servers.map(mark), sentinels: of.sentinels.map(mark) };
}

const blank = serverView({ linkUp: false, empty: true });
const unaware: SentinelView = { kind: 'view', id: 'new' };
const allUnaware = { 0: unaware, 1: { ...unaware, id: 'b' }, 2: { ...unaware, id: 'c' } };
const old = serverView({ role: 'primary', linkUp: false });

describe('the servers while their StatefulSet is being made anew', () => {
  it('are as many as there are until the primary has moved', () => {
    const { liveServers: _, ...without } = observed();
    const moved = observed(
      {
        0: serverView({ follows: at(server(2)) }),
        1: serverView({ follows: at(server(2)) }),
        2: serverView({ role: 'primary', linkUp: false }),
      },
      { 0: watching(2, 0), 1: watching(2, 1), 2: watching(2, 2) },
    );
    const { liveServers: __, ...onLast } = moved;
    const pods = (of: SentinelObserved) => {
      const sets = decide(platform, { ...of, wanted: { ...wanted, replicasPerShard: 1 } }, []).objects;
      return (
        sets.find(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === 'acme-redis') as StatefulSet
      ).spec?.replicas;
    };
    expect(pods(onLast)).to.equal(3);
    expect(pods(without)).to.equal(2);
  });
});

describe('the plan for Redis in mode sentinel', () => {
  const cases: readonly [name: string, observed: SentinelObserved, reason: string, actions: string[]][] = [
    ['does nothing while all is well', observed(), 'Healthy', []],
    [
      'begins with the first of blank servers',
      observed({ 0: blank, 1: blank, 2: blank }, allUnaware),
      'Forming',
      ['sentinel.found acme-redis-0'],
    ],
    [
      'begins nothing before everybody has answered',
      observed({ 0: blank, 1: blank, 2: refused }, allUnaware),
      'WaitingForPods',
      [],
    ],
    [
      'goes on from a first primary, wherever an operator was killed',
      observed({ 0: serverView({ role: 'primary', empty: true }), 1: blank, 2: blank }, allUnaware),
      'Forming',
      [1, 2].map((i) => `sentinel.follow ${server(i)}`),
    ],
    [
      'tells the Sentinels of it only when its replicas are there to be found',
      observed({}, allUnaware),
      'Forming',
      [0, 1, 2].map((i) => `sentinel.watch ${sentinel(i)}`),
    ],
    ['leaves the election to the Sentinels when the primary is gone', observed({ 0: refused }), 'PrimaryLost', []],
    [
      'believes the Sentinel that has heard of the newest election, and corrects nobody before most have',
      observed({ 0: old, 1: old }, { 1: watching(1, 1, { epoch: 2 }) }),
      'SentinelsMissing',
      [],
    ],
    ...[0, 1, 2].map((deaf): (typeof cases)[number] => [
      `tells Sentinel ${deaf} anew that has heard of the election and could not resolve who was elected`,
      observed(
        { 0: serverView({ follows: at(server(1)) }), 1: old, 2: serverView({ follows: at(server(1)) }) },
        Object.fromEntries([0, 1, 2].map((i) => [i, watching(i === deaf ? 0 : 1, i, { epoch: 2 })])),
      ),
      'SentinelsLearning',
      [`sentinel.watch acme-redis-sentinel-${deaf}`],
    ]),
    [
      'leaves one alone that is at work on a failover, although it has the epoch of the others',
      observed({}, { 2: watching(1, 2, { flags: ['failover_in_progress'] }) }),
      'SentinelsLearning',
      [],
    ],
    [
      'believes the one Sentinel whose primary is one, until the others have come to another',
      observed(
        { 0: serverView({ follows: at(server(1)) }), 1: old, 2: serverView({ follows: at(server(1)) }) },
        Object.fromEntries([0, 1, 2].map((i) => [i, watching(i === 2 ? 1 : 0, i, { epoch: 2 })])),
      ),
      'SentinelsMissing',
      [],
    ],
    [
      'makes a primary of before a replica, once most Sentinels watch another',
      observed(
        { 0: old, 1: old, 2: serverView({ follows: at(server(1)) }) },
        { 0: watching(1, 0, { epoch: 2 }), 1: watching(1, 1, { epoch: 2 }) },
      ),
      'ReplicasMissing',
      ['sentinel.follow acme-redis-0'],
    ],
    [
      'points a replica at the primary that follows another',
      observed({ 2: serverView({ follows: at('elsewhere') }) }),
      'ReplicasMissing',
      ['sentinel.follow acme-redis-2'],
    ],
    [
      'has a replica ask anew where the primary is that waits for an answer of it',
      observed({ 2: serverView({ follows: at(server(0)), linkUp: false, connecting: true }) }),
      'ReplicasMissing',
      ['sentinel.reconnect acme-redis-2'],
    ],
    [
      'lets a replica catch up that has had an answer',
      observed({ 2: serverView({ follows: at(server(0)), linkUp: false }) }),
      'ReplicasMissing',
      [],
    ],
    [
      'waits with that while the Sentinels are at work',
      observed(
        { 2: serverView({ follows: at('elsewhere') }) },
        { 1: watching(0, 1, { flags: ['failover_in_progress'] }) },
      ),
      'ReplicasMissing',
      [],
    ],
    [
      'never lets an empty primary replace the keys of others',
      observed({ 0: serverView({ role: 'primary', empty: true }), 1: serverView({ follows: at('elsewhere') }) }),
      'ReplicasMissing',
      [],
    ],
    [
      'tells a Sentinel whom to watch that has lost what it knew',
      observed({}, { 1: unaware }),
      'SentinelsLearning',
      ['sentinel.watch acme-redis-sentinel-1'],
    ],
    [
      'finishes telling a Sentinel how to watch',
      observed({}, { 1: watching(0, 1, { settings: { ...WATCH_SETTINGS, 'down-after-milliseconds': '30000' } }) }),
      'Healthy',
      ['sentinel.watch acme-redis-sentinel-1'],
    ],
    [
      'tells all Sentinels and replicas where the primary is now, when all addresses have changed',
      observed(
        { 1: serverView({ follows: at('before') }), 2: serverView({ follows: at('before') }) },
        Object.fromEntries([0, 1, 2].map((i) => [i, watching(0, i, { address: at('before') })])),
      ),
      'PrimaryLost',
      [1, 2].map((i) => `sentinel.follow ${server(i)}`),
    ],
    [
      'takes nobody for the primary where two were and no Sentinel knows',
      observed({ 0: old, 1: old, 2: serverView({ follows: at('elsewhere'), linkUp: false }) }, allUnaware),
      'PrimaryUnclear',
      [],
    ],
    [
      'lets one Sentinel at a time forget who is gone',
      observed(
        {},
        Object.fromEntries(
          [0, 1].map((i) => [
            i,
            watching(0, i, {
              sentinels: [...([watching(0, i).watched?.sentinels].flat() as never[]), peer('gone', ['s_down'])],
            }),
          ]),
        ),
      ),
      'Healthy',
      ['sentinel.reset acme-redis-sentinel-0'],
    ],
    [
      'lets nobody forget while another has yet to find all again',
      observed(
        {},
        {
          0: watching(0, 0, { replicas: [peer(server(1)), peer(server(2)), peer('gone', ['s_down'])] }),
          1: watching(0, 1, { replicas: [peer(server(1))] }),
        },
      ),
      'SentinelsLearning',
      [],
    ],
    [
      'sets only what differs',
      observed({
        1: serverView({ follows: at(server(0)), settings: { ...liveServerSettings(wanted), maxmemory: '1' } }),
      }),
      'Healthy',
      ['sentinel.configure acme-redis-1'],
    ],
  ];
  for (const [name, seen, reason, actions] of cases)
    it(name, () => expect(outcome(seen)).to.deep.equal({ reason, actions, removed: [] }));

  it('restarts outdated pods one at a time: Sentinels, replicas, and last the primary, after another was made', () => {
    const all = [...[0, 1, 2].map(sentinel), ...[0, 1, 2].map(server)];
    expect(outcome(outdate(observed(), ...all)).removed).to.deep.equal([sentinel(0)]);
    expect(outcome(outdate(observed(), server(0), server(2))).removed).to.deep.equal([server(2)]);
    const last = outcome(outdate(observed(), server(0)));
    expect(last).to.deep.equal({
      reason: 'RollingOut',
      actions: ['sentinel.failover acme-redis-sentinel-0'],
      removed: [],
    });
    expect(outcome(outdate(observed({ 1: refused }), server(0), server(2))).removed).to.deep.equal([]);
  });

  it('hands over from a primary whose pod is being deleted, or that would go with a smaller number', () => {
    const of = observed();
    const deleting = { ...of, servers: of.servers.map((pod) => ({ ...pod, deleting: pod.ordinal === 0 })) };
    expect(outcome(deleting).actions).to.deep.equal(['sentinel.failover acme-redis-sentinel-0']);
    const second = observed(
      { 0: serverView({ follows: at(server(2)) }), 1: serverView({ follows: at(server(2)) }), 2: old },
      Object.fromEntries([0, 1, 2].map((i) => [i, watching(2, i)])),
    );
    const fewer = { ...second, wanted: { ...wanted, replicasPerShard: 1 } };
    expect(outcome(fewer).actions).to.include('sentinel.failover acme-redis-sentinel-0');
    const sets = decide(platform, fewer, []).objects.filter(({ kind }) => kind === 'StatefulSet') as StatefulSet[];
    expect(sets.map(({ spec }) => spec?.replicas)).to.deep.equal([3, 3]);
  });

  it('labels one primary at most, and keeps the labels while it does not know', () => {
    const roles = (of: SentinelObserved) =>
      decide(platform, of, [])
        .objects.filter(({ kind }) => kind === 'Pod')
        .map(({ metadata }) => `${metadata.name} ${metadata.labels?.['isp.support/role']}`);
    expect(roles(observed())).to.deep.equal(['acme-redis-0 primary', 'acme-redis-1 replica', 'acme-redis-2 replica']);
    const of = observed({ 0: refused });
    const labelled = {
      ...of,
      servers: of.servers.map((pod) => ({ ...pod, role: pod.ordinal === 0 ? 'primary' : 'replica' }) as const),
    };
    expect(roles(labelled)).to.deep.equal(roles(observed()));
  });

  it('stays in its mode, and says so', () => {
    const { condition } = decide(platform, { ...observed(), wanted: { ...wanted, mode: 'cluster' } }, []);
    expect(condition).to.include({ status: 'True', reason: 'ModeChangeRefused', degraded: true });
  });

  it('makes what the contract names', () => {
    const { objects } = decide(platform, { wanted, forgets: true, servers: [], sentinels: [] }, []);
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).to.deep.equal([
      'ConfigMap acme-redis',
      'Service acme-redis-nodes',
      'Service acme-redis',
      'Service acme-redis-sentinel',
      'PodDisruptionBudget acme-redis',
      'PodDisruptionBudget acme-redis-sentinel',
      'StatefulSet acme-redis',
      'StatefulSet acme-redis-sentinel',
    ]);
    const first = decide(platform, { wanted, forgets: true, servers: [], sentinels: [] }, [
      { component: 'credentials', reason: 'Creating' },
    ]);
    expect(first.objects.map(({ kind }) => kind)).to.not.include('StatefulSet');
    expect(first.condition.reason).to.equal('WaitingForDependencies');
  });
});
