import { expect } from 'chai';
import type { PlatformStatus, RestartStatus } from '../core/platform.ts';
import { decide } from './decide.ts';
import {
  failingReading,
  healthy,
  memberOf,
  NOW,
  podOf,
  primaryReading,
  replicaReading,
  scopeWith,
  seconds,
  streaming,
} from './fixtures.ts';
import type { Member, Observed } from './observe.ts';
import type { MemberReading, PendingParameter } from './reading.ts';

const rise: PendingParameter = { name: 'max_connections', from: '100', to: '200' };
const fall: PendingParameter = { name: 'max_connections', from: '200', to: '100' };
const other: PendingParameter = { name: 'shared_buffers', from: '64MB', to: '128MB' };

function pending(reading: MemberReading, parameters: readonly PendingParameter[]): MemberReading {
  if (!reading.patroni.ok || parameters.length === 0) return reading;
  const value = { ...reading.patroni.value, pendingRestart: true, pendingParameters: parameters };
  return { ...reading, patroni: { ok: true, value } };
}

function limited(reading: MemberReading, max: number): MemberReading {
  if (!reading.sql.ok) return reading;
  return { ...reading, sql: { ok: true, value: { ...reading.sql.value, settings: { max_connections: String(max) } } } };
}

/** What waits on each member; the first leads. */
function waiting(...each: readonly (readonly PendingParameter[])[]): Observed {
  return waitingWith(Number(each[0]?.find(({ name }) => name === 'max_connections')?.from ?? 100), each);
}

/** The same with a primary that has so many connections. */
function waitingWith(max: number, each: readonly (readonly PendingParameter[])[]): Observed {
  const standbys = each.slice(1).map((_, index) => streaming(index + 1));
  const members = each.map((parameters, ordinal): Member => {
    const reading = ordinal === 0 ? limited(primaryReading(standbys), max) : replicaReading();
    return memberOf(podOf(ordinal, { role: ordinal === 0 ? 'primary' : 'replica' }), pending(reading, parameters));
  });
  return healthy({ members });
}

function steps(observed: Observed, status: PlatformStatus = {}, instances = 3): string[] {
  const all = { postgres: { primary: 'acme-postgres-0' }, ...status };
  const { actions = [], status: next = {} } = decide(scopeWith({ status: all, postgres: { instances } }), observed, []);
  const { lastSwitchover: move, lastRestart: restarted, lastFailover } = next;
  return [
    ...actions.flatMap((action) =>
      action.type === 'postgres.restart' && 'member' in action ? `restart ${String(action.member)}` : [],
    ),
    ...(move === undefined ? [] : [`${move.reason} to ${move.to ?? 'any'} ${move.outcome}`]),
    ...(restarted === undefined ? [] : [`${restarted.member} in place ${restarted.outcome}`]),
    ...(lastFailover === undefined ? [] : [`failover ${lastFailover.reason}`]),
  ];
}

const begun: RestartStatus = {
  member: 'acme-postgres-0',
  reason: 'ParameterChange',
  parameters: ['max_connections'],
  outcome: 'InProgress',
  startedAt: seconds(-3).toISOString(),
};

describe('parameters that need a restart', () => {
  it('come to one standby at a time, then to the primary by a switchover to one that has them', () => {
    expect(steps(waiting([rise, other], [rise, other], [rise, other]))).to.deep.equal(['restart acme-postgres-2']);
    expect(steps(waiting([rise, other], [rise, other], []))).to.deep.equal(['restart acme-postgres-1']);
    expect(steps(waiting([rise, other], [], []))).to.deep.equal(['ParameterChange to any InProgress']);
    expect(steps(waiting([], [], []))).to.deep.equal([]);
  });

  it('come to the primary where it is first when a standby must have no less than it, and then to the standbys', () => {
    expect(steps(waiting([fall], [fall], [fall]))).to.deep.equal(['acme-postgres-0 in place InProgress']);
    expect(steps(waiting([], [fall], [fall]))).to.deep.equal(['restart acme-postgres-2']);
  });

  it('do not move the primary while a standby has not heard of them, though nothing waits on it', () => {
    const observed = waiting([rise], [], []);
    const same = limited(replicaReading(), 100);
    const members = observed.members.with(1, memberOf(podOf(1, { role: 'replica' }), same));
    expect(steps({ ...observed, members })).to.deep.equal([]);
    const risen = memberOf(podOf(1, { role: 'replica' }), limited(replicaReading(), 200));
    expect(steps({ ...observed, members: observed.members.with(1, risen) })).to.deep.equal([
      'ParameterChange to any InProgress',
    ]);
  });

  it('are in no hurry on a standby that has heard of a fall before its primary has', () => {
    expect(steps(waitingWith(200, [[], [fall], [fall]]))).to.deep.equal([]);
    expect(steps(waitingWith(200, [[], [fall, other], [fall]]))).to.deep.equal(['restart acme-postgres-1']);
  });

  it('are tried on the standbys before the primary is restarted where it is', () => {
    expect(steps(waiting([fall, other], [fall, other], [fall, other]))).to.deep.equal(['restart acme-postgres-2']);
    expect(steps(waiting([fall, other], [fall, other], [fall]))).to.deep.equal(['restart acme-postgres-1']);
    expect(steps(waiting([fall, other], [fall], [fall]))).to.deep.equal(['acme-postgres-0 in place InProgress']);
  });

  it('come to a single instance where it is', () => {
    const alone = waiting([other]);
    const set = { ...healthy().statefulSet, spec: { ...healthy().statefulSet?.spec, replicas: 1 } };
    const observed: Observed = { ...alone, statefulSet: set as Observed['statefulSet'] };
    expect(steps(observed, {}, 1)).to.deep.equal(['acme-postgres-0 in place InProgress']);
  });

  it('wait while a member does not stream, and while something else is under way', () => {
    const observed = waiting([rise], [rise], [rise]);
    const members = observed.members.with(
      0,
      memberOf(podOf(0, { role: 'primary' }), pending(primaryReading([streaming(1)]), [rise])),
    );
    expect(steps({ ...observed, members })).to.deep.equal([]);
    const lastFailover = { component: 'redis', reason: 'x', outcome: 'InProgress' };
    expect(steps(observed, { lastFailover })).to.deep.equal([]);
  });

  it('are asked of Patroni only when the restart of the primary is written down', () => {
    expect(steps(waiting([fall], [fall], [fall]), { lastRestart: begun })).to.deep.equal([
      'restart acme-postgres-0',
      'acme-postgres-0 in place InProgress',
    ]);
  });

  it('make no failover of a primary that is away for its restart, unless it does not come back', () => {
    const silent = memberOf(podOf(0, { role: 'primary' }), failingReading(3, seconds(-3)));
    const observed = { ...waiting([fall], [fall], [fall]) };
    const away = { ...observed, members: observed.members.with(0, silent) };
    expect(steps(away, { lastRestart: begun })).to.deep.equal(['acme-postgres-0 in place InProgress']);
    const late = { ...begun, startedAt: seconds(-100).toISOString() };
    expect(steps(away, { lastRestart: late })).to.deep.equal([
      'acme-postgres-0 in place Failed',
      'failover PrimaryTimeout',
    ]);
  });

  it('are in force when the primary serves and none waits any more', () => {
    const plan = decide(
      scopeWith({ status: { postgres: { primary: 'acme-postgres-0' }, lastRestart: begun } }),
      waiting([], [fall], [fall]),
      [],
    );
    expect(plan.status?.lastRestart).to.include({ outcome: 'Succeeded', finishedAt: NOW.toISOString() });
    expect(plan.actions?.map(({ type }) => type)).not.to.include('postgres.restart');
  });

  it('are not tried again at once on a primary that failed to restart', () => {
    const failed = { ...begun, outcome: 'Failed', finishedAt: seconds(-10).toISOString() };
    const observed = waiting([fall], [fall], [fall]);
    expect(steps(observed, { lastRestart: failed })).to.deep.equal([]);
    expect(steps(observed, { lastRestart: { ...failed, finishedAt: seconds(-61).toISOString() } })).to.deep.equal([
      'acme-postgres-0 in place InProgress',
    ]);
  });

  it('are named, with what they are and will be, and how they come into force', () => {
    const { condition } = decide(scopeWith(), waiting([rise, other], [rise, other], [rise, other]), []);
    expect(condition).to.include({ status: 'True', reason: 'RestartPending', progressing: true });
    expect(condition.message).to.contain('max_connections (100 → 200), shared_buffers (64MB → 128MB) takes effect');
    expect(condition.message).to.contain('standbys first');
    const falling = decide(scopeWith(), waiting([fall], [fall], [fall]), []).condition;
    expect(falling.message).to.contain('falls on the primary first');
  });
});

describe('parameters of the resource that Postgres cannot use', () => {
  const spec = { postgres: { parameters: { work_mem: 'banana', jit: 'on' } } };
  const facts = {
    ok: true as const,
    value: {
      known: [
        {
          name: 'work_mem',
          context: 'user',
          vartype: 'integer',
          unit: 'kB',
          min: '64',
          max: '2147483647',
          values: null,
        },
        { name: 'jit', context: 'user', vartype: 'bool', unit: null, min: null, max: null, values: null },
      ],
      refused: [{ name: 'work_mem', why: 'invalid value for parameter "work_mem": "banana"' }],
      missingLibraries: [],
    },
  };

  function planned(observed: Observed) {
    const scope = scopeWith({ status: { postgres: { primary: 'acme-postgres-0' } } });
    const { effective } = scope;
    const postgres = {
      ...effective.postgres,
      parameters: { ...effective.postgres.parameters, ...spec.postgres.parameters },
    };
    return decide(
      { ...scope, platform: { ...scope.platform, spec }, effective: { ...effective, postgres } },
      observed,
      [],
    );
  }

  it('are left out, and everything else of the edit is applied', () => {
    const plan = planned(healthy({ parameterFacts: facts }));
    const [action] = plan.actions ?? [];
    expect(action).to.deep.include({
      type: 'postgres.configure',
      patch: { postgresql: { parameters: { jit: 'on' } } },
    });
    expect(plan.condition).to.include({ status: 'True', reason: 'ParametersLeftOut' });
    expect(plan.condition.message).to.contain(
      `spec.postgres.parameters.work_mem is 'banana', which Postgres refuses: invalid value for parameter "work_mem": "banana": it is left out, and 4MB is in force`,
    );
  });

  it('are given to no database before Postgres was asked about them', () => {
    expect(planned(healthy()).actions).to.deep.equal([]);
    const failed = { ok: false as const, problem: 'Timeout' as const, detail: 'no answer in time' };
    expect(planned(healthy({ parameterFacts: failed })).actions).to.deep.equal([]);
  });
});
