import { expect } from 'chai';
import type { StatefulSet } from '../../kube/resources.ts';
import type { EffectivePostgres } from '../core/effective.ts';
import type { PlatformStatus } from '../core/platform.ts';
import { decide } from './decide.ts';
import {
  failingReading,
  healthy,
  lockOf,
  memberOf,
  podOf,
  primaryReading,
  replicaReading,
  scopeWith,
  seconds,
  setOf,
  streaming,
} from './fixtures.ts';
import type { Member, Observed } from './observe.ts';
import { dynamicConfig } from './patroni-config.ts';
import type { MemberReading } from './reading.ts';

const served: PlatformStatus = { postgres: { primary: 'acme-postgres-0', timeline: 3, members: [] } };

interface Situation {
  readonly postgres?: Partial<EffectivePostgres>;
  readonly status?: PlatformStatus;
}

function plan(observed: Observed, { postgres = {}, status = served }: Situation = {}) {
  return decide(scopeWith({ postgres, status }), observed, []);
}

function leader(reading: MemberReading, role = 'primary', ready = true) {
  return memberOf(podOf(0, { role, ready }), reading);
}

const others = [memberOf(podOf(1), replicaReading()), memberOf(podOf(2), replicaReading())];
const both = [streaming(1), streaming(2)];

function sqlWith(changes: Partial<Extract<MemberReading['sql'], { ok: true }>['value']>): MemberReading {
  const reading = primaryReading(both);
  return reading.sql.ok ? { ...reading, sql: { ok: true, value: { ...reading.sql.value, ...changes } } } : reading;
}

function replicasOf(observed: Observed, situation: Situation): number | undefined {
  const set = plan(observed, situation).objects.find((object): object is StatefulSet => object.kind === 'StatefulSet');
  return set?.spec?.replicas;
}

describe('the condition of Postgres', () => {
  const first: PlatformStatus = {};
  const timeout = { ok: false, problem: 'Timeout', detail: 'no answer in time' } as const;
  const cases: {
    when: string;
    observed: Observed;
    situation?: Situation;
    expected: { status: string; reason: string; degraded?: boolean; progressing?: boolean };
    says?: string;
  }[] = [
    { when: 'all is well', observed: healthy(), expected: { status: 'True', reason: 'Healthy' } },
    {
      when: 'no pod exists yet',
      observed: healthy({ members: [], lock: undefined, config: undefined, login: undefined }),
      situation: { status: first },
      expected: { status: 'False', reason: 'WaitingForPods', progressing: true },
      says: 'pod acme-postgres-2 does not exist yet',
    },
    {
      when: 'the first member is being made',
      observed: healthy({ members: [memberOf(podOf(0)), memberOf(podOf(1)), memberOf(podOf(2))], lock: undefined }),
      situation: { status: first },
      expected: { status: 'False', reason: 'Bootstrapping', progressing: true },
    },
    {
      when: 'the database is not there',
      observed: healthy({ members: [leader(sqlWith({ databaseExists: false })), ...others] }),
      expected: { status: 'False', reason: 'DatabaseMissing', progressing: true },
    },
    {
      when: 'commits are not synchronous yet on a first start',
      observed: healthy({ syncLeader: undefined }),
      situation: { status: first },
      expected: { status: 'False', reason: 'SynchronizationStarting', progressing: true },
    },
    {
      when: 'the application has not got in yet on a first start',
      observed: healthy({ login: undefined }),
      situation: { status: first },
      expected: { status: 'False', reason: 'LoginUnproven', progressing: true },
    },
    {
      when: 'the Service does not lead to the primary because of its label',
      observed: healthy({ members: [leader(primaryReading(both), 'replica'), ...others] }),
      expected: { status: 'False', reason: 'PrimaryNotPublished', progressing: true },
      says: 'has not labelled',
    },
    {
      when: 'the Service does not lead to the primary because it is not ready',
      observed: healthy({ members: [leader(primaryReading(both), 'primary', false), ...others] }),
      expected: { status: 'False', reason: 'PrimaryNotPublished', progressing: true },
      says: 'is not ready',
    },
    {
      when: "the application's password is refused",
      observed: healthy({ login: { ok: false, problem: 'AuthFailed', detail: '28P01' } }),
      expected: { status: 'False', reason: 'PasswordMismatch', progressing: true },
    },
    {
      when: 'the primary does not answer',
      observed: healthy({ members: [leader(failingReading(3, seconds(-3))), ...others] }),
      expected: { status: 'False', reason: 'NoPrimary' },
      says: 'acme-postgres-0 holds the leader lock; acme-postgres-0 does not answer (Timeout',
    },
    {
      when: 'two members take writes',
      observed: healthy({ members: [leader(primaryReading(both)), memberOf(podOf(1), primaryReading([]))] }),
      expected: { status: 'False', reason: 'MultiplePrimaries' },
      says: 'delete pod acme-postgres-1 at once',
    },
    {
      when: 'a member does not stream',
      observed: healthy({ members: [leader(primaryReading([streaming(1)])), ...others] }),
      expected: { status: 'True', reason: 'MembersNotStreaming', degraded: true, progressing: true },
      says: '2 of 3 members serve: acme-postgres-2 is running as replica',
    },
    {
      when: 'every member streams and none is synchronous',
      observed: healthy({
        members: [leader(primaryReading(both.map((one) => ({ ...one, sync: 'async' })))), ...others],
      }),
      expected: { status: 'True', reason: 'NoSynchronousStandby', degraded: true, progressing: true },
    },
    {
      when: 'smaller volumes are wanted',
      observed: healthy(),
      situation: { postgres: { storage: { size: '1Gi' } } },
      expected: { status: 'True', reason: 'StorageChangePending' },
      says: 'the volumes have 5Gi and stay so; 1Gi is wanted',
    },
    {
      when: 'it lets nobody in any more',
      observed: healthy({ login: { ok: false, problem: 'Error', detail: '53300' } }),
      expected: { status: 'True', reason: 'LoginFailing', degraded: true },
      says: 'acme-postgres-0 takes no new connections (Error: 53300)',
    },
    {
      when: 'a commit failed once',
      observed: healthy({ canary: { answer: timeout, failures: 1 } }),
      expected: { status: 'True', reason: 'Healthy' },
    },
    {
      when: 'commits do not reach the disk again and again',
      observed: healthy({ canary: { answer: timeout, failures: 3 } }),
      expected: { status: 'False', reason: 'WritesFailing' },
      says: 'acme-postgres-0 answers, but cannot commit: no commit reaches its disk in time',
    },
    {
      when: 'commits fail for want of room',
      observed: healthy({ canary: { answer: { ok: false, problem: 'Error', detail: '53100' }, failures: 3 } }),
      expected: { status: 'False', reason: 'WritesFailing' },
      says: 'its volume is full (53100)',
    },
    {
      when: 'the volume of the primary takes nothing more',
      observed: healthy({
        members: [{ ...leader(primaryReading(both)), disk: { size: 2 ** 30, available: 0 } }, ...others],
      }),
      expected: { status: 'False', reason: 'WritesFailing' },
      says: 'acme-postgres-0 answers, but its volume is full',
    },
    {
      when: 'a volume is about to be full',
      observed: healthy({
        members: [leader(primaryReading(both)), filled(others[0] as Member, 9), others[1] as Member],
      }),
      expected: { status: 'True', reason: 'DiskFilling', degraded: true },
      says: 'the volume of acme-postgres-1 is at least 90 % full',
    },
    {
      when: 'the primary has stopped and its volume was nearly full',
      observed: healthy({ members: [filled(leader(failingReading(3, seconds(-3))), 4), ...others] }),
      expected: { status: 'False', reason: 'NoPrimary' },
      says: 'the volume of acme-postgres-0 is at least 95 % full',
    },
    {
      when: 'a parameter waits for a restart',
      observed: healthy({ members: [leader(pendingRestart(primaryReading(both))), ...others] }),
      expected: { status: 'True', reason: 'RestartPending', progressing: true },
      says: 'restart of acme-postgres-0',
    },
  ];

  for (const { when, observed, situation, expected, says } of cases)
    it(`is ${expected.status}, ${expected.reason}, when ${when}`, () => {
      const { condition } = plan(observed, situation);
      const { message, ...rest } = condition;
      expect(rest).to.deep.equal({ type: 'PostgresReady', ...expected });
      if (says !== undefined) expect(message).to.include(says);
    });

  it('stays as it was while a fresh operator has not asked the primary yet', () => {
    const before = {
      type: 'PostgresReady',
      status: 'True' as const,
      reason: 'MembersNotStreaming',
      message: 'as before',
      lastTransitionTime: seconds(-60).toISOString(),
    };
    const members = [memberOf(podOf(0)), ...others];
    const status = { ...served, conditions: [before] } as PlatformStatus;
    expect(plan(healthy({ members }), { status }).condition).to.include({
      status: 'True',
      reason: 'MembersNotStreaming',
      message: 'as before',
      degraded: true,
    });
  });
});

function filled(member: Member, availablePercent: number): Member {
  return { ...member, disk: { size: 100 * 2 ** 30, available: availablePercent * 2 ** 30 } };
}

function pendingRestart(reading: MemberReading): MemberReading {
  if (!reading.patroni.ok) return reading;
  return { ...reading, patroni: { ok: true, value: { ...reading.patroni.value, pendingRestart: true } } };
}

describe('the actions on Postgres', () => {
  const types = (observed: Observed, situation?: Situation) =>
    plan(observed, situation).actions?.map(({ type }) => type);

  it('are none when all is well', () => {
    expect(types(healthy())).to.deep.equal([]);
  });

  it('make the database on the primary by the address of its pod', () => {
    const members = [leader(sqlWith({ databaseExists: false })), ...others];
    expect(plan(healthy({ members })).actions).to.deep.equal([
      { type: 'postgres.ensure-database', member: 'acme-postgres-0', address: '10.0.0.0' },
    ]);
  });

  it('give the application its password back', () => {
    const login = { ok: false as const, problem: 'AuthFailed' as const, detail: '28P01' };
    expect(types(healthy({ login }))).to.deep.equal(['postgres.ensure-database']);
  });

  it('bring Patroni the parameters that were changed, and only these', () => {
    const { postgres } = scopeWith().effective;
    const parameters = { ...postgres.parameters, work_mem: '64MB' };
    expect(plan(healthy(), { postgres: { parameters } }).actions).to.deep.equal([
      {
        type: 'postgres.configure',
        member: 'acme-postgres-0',
        address: '10.0.0.0',
        patch: { postgresql: { parameters: { work_mem: '64MB' } } },
      },
    ]);
  });

  it('wake Patroni to turn synchronous replication on, for a while after the first start only', () => {
    const lock = lockOf(0, seconds(-2));
    expect(types(healthy({ syncLeader: undefined, lock }))).to.deep.equal(['postgres.wake']);
    expect(types(healthy({ syncLeader: undefined }))).to.deep.equal([]);
    expect(types(healthy({ lock }))).to.deep.equal([]);
  });

  it('touch nothing while two members take writes', () => {
    const config = { ...dynamicConfig(scopeWith().effective.postgres), ttl: 30 };
    const members = [leader(primaryReading(both)), memberOf(podOf(1), primaryReading([]))];
    expect(types(healthy({ members, config }))).to.deep.equal([]);
  });
});

describe('taking members away', () => {
  const five = (ordinal: number, standbys = [0, 1, 2, 3, 4]) =>
    healthy({
      statefulSet: setOf(5),
      lock: lockOf(ordinal),
      members: [0, 1, 2, 3, 4].map((one) =>
        one === ordinal
          ? memberOf(
              podOf(one, { role: 'primary' }),
              primaryReading(standbys.filter((other) => other !== ordinal).map((other) => streaming(other))),
            )
          : memberOf(podOf(one), replicaReading()),
      ),
    });

  it('goes on when the primary and enough standbys remain', () => {
    expect(replicasOf(five(1), {})).to.equal(3);
  });

  it('waits while the primary is among those to go, and says so', () => {
    expect(replicasOf(five(4), {})).to.equal(5);
    expect(plan(five(4)).condition).to.include({ status: 'True', reason: 'PrimaryOnOrdinalToRemove' });
  });

  it('waits while one that remains does not stream', () => {
    expect(replicasOf(five(0, [1, 3, 4]), {})).to.equal(5);
  });

  it('waits while there is no primary', () => {
    const observed = { ...five(0), members: five(0).members.slice(1) };
    expect(replicasOf(observed, {})).to.equal(5);
  });

  it('has nothing to do with adding members', () => {
    expect(replicasOf(healthy({ members: [] }), { postgres: { instances: 5 } })).to.equal(5);
  });
});

describe('the status of Postgres', () => {
  it('names the primary, its timeline, and what each member does', () => {
    const members = [leader(primaryReading([streaming(1, { lagBytes: 1048576 })])), ...others];
    expect(plan(healthy({ members })).status).to.deep.equal({
      postgres: {
        primary: 'acme-postgres-0',
        timeline: 3,
        members: [
          { name: 'acme-postgres-0', role: 'primary', state: 'running' },
          { name: 'acme-postgres-1', role: 'replica', state: 'streaming', lagBytes: 1048576 },
          { name: 'acme-postgres-2', role: 'replica', state: 'running' },
        ],
      },
    });
  });

  it('keeps the name of the last primary until there is another', () => {
    const members = [leader(failingReading(3, seconds(-3))), ...others];
    const { status } = plan(healthy({ members }));
    expect(status?.postgres?.primary).to.equal('acme-postgres-0');
    expect(status?.lastFailover).to.include({ outcome: 'InProgress', from: 'acme-postgres-0' });
  });

  it('repeats an open failover for as long as it lasts', () => {
    const lastFailover = {
      component: 'postgres',
      from: 'acme-postgres-0',
      reason: 'PrimaryPodGone',
      outcome: 'InProgress',
    };
    const { status } = plan(healthy({ members: others }), { status: { ...served, lastFailover } });
    expect(status?.lastFailover).to.include(lastFailover);
  });

  it('tells the end of a failover once, as an event', () => {
    const members = [memberOf(podOf(1, { role: 'primary' }), primaryReading([])), memberOf(podOf(2), replicaReading())];
    const observed = healthy({ members, lock: lockOf(1, seconds(-1)) });
    const { status, events } = plan(observed);
    expect(events?.map(({ reason }) => reason)).to.deep.equal(['FailoverStarted', 'Promoted', 'FailoverSucceeded']);
    const after = { ...served, ...status } as PlatformStatus;
    expect(plan(observed, { status: after }).events).to.deep.equal([]);
  });

  it('takes the state of a member that was not asked yet from before', () => {
    const before = { name: 'acme-postgres-1', role: 'replica', state: 'streaming', lagBytes: 0 };
    const status = { postgres: { ...served.postgres, members: [before] } } as PlatformStatus;
    const members = [leader(primaryReading(both)), memberOf(podOf(1)), memberOf(podOf(2), replicaReading())];
    expect(plan(healthy({ members }), { status }).status?.postgres?.members?.[1]).to.deep.equal(before);
  });
});

describe('Postgres without credentials', () => {
  const blockedBy = [{ component: 'credentials' as const, reason: 'Creating' }];

  it('is not started', () => {
    const { objects, condition } = decide(
      scopeWith(),
      healthy({ statefulSet: undefined, members: [], lock: undefined }),
      blockedBy,
    );
    expect(objects).to.deep.equal([]);
    expect(condition).to.include({ status: 'False', reason: 'WaitingForDependencies' });
  });

  it('is still reported when it runs', () => {
    const { objects, actions, condition } = decide(scopeWith({ status: served }), healthy(), blockedBy);
    expect(objects).to.deep.equal([]);
    expect(actions).to.deep.equal([]);
    expect(condition.reason).to.equal('Healthy');
  });

  it('goes on as it is while only a certificate is lacking: its configuration follows, and nothing else', () => {
    const lacking = [{ component: 'certificates' as const, reason: 'Issuing' }];
    const config = { ...dynamicConfig(scopeWith().effective.postgres), ttl: 30 };
    const { objects, actions } = decide(scopeWith({ status: served }), healthy({ config }), lacking);
    expect(objects).to.deep.equal([]);
    expect(actions?.map(({ type }) => type)).to.deep.equal(['postgres.configure']);
  });
});
