import { expect } from 'chai';
import type { ComponentName, ComponentPlan, ConditionPlan } from './component.ts';
import { type SummaryInput, summarize } from './summary.ts';

const healthy: ConditionPlan = { status: 'True', reason: 'Healthy', message: 'all is well' };

function input(
  conditions: Partial<Record<ComponentName, ConditionPlan>>,
  more: Partial<SummaryInput> = {},
): SummaryInput {
  const plans = new Map<ComponentName, ComponentPlan>(
    Object.entries(conditions).map(([name, condition]) => [name as ComponentName, { objects: [], condition }]),
  );
  return {
    plans,
    paused: false,
    leftovers: '',
    failures: [],
    terminal: [],
    unseen: [],
    failover: { inProgress: false, message: 'none' },
    ...more,
  };
}

function find(
  conditions: ReturnType<typeof summarize>,
  type: string,
): { status: string; reason: string; message: string } | undefined {
  return conditions.find((condition) => condition.type === type);
}

describe('summarize', () => {
  it('is Ready and Healthy when every component is', () => {
    const conditions = summarize(
      input({ postgres: { ...healthy, type: 'PostgresReady' }, api: { ...healthy, type: 'ApiReady' } }),
    );
    expect(find(conditions, 'Ready')).to.include({ status: 'True', reason: 'Healthy' });
    expect(conditions.map(({ type }) => type)).to.deep.equal([
      'Ready',
      'Progressing',
      'Degraded',
      'PostgresReady',
      'ApiReady',
      'FailoverInProgress',
    ]);
  });

  it('names the first component in the order of dependency that is not ready, and every one in the message', () => {
    const conditions = summarize(
      input({
        postgres: { type: 'PostgresReady', status: 'False', reason: 'NoPrimary', message: 'no member leads' },
        api: { type: 'ApiReady', status: 'False', reason: 'WaitingForPods', message: '0 of 2 pods' },
      }),
    );
    expect(find(conditions, 'Ready')).to.deep.include({
      status: 'False',
      reason: 'PostgresNoPrimary',
      message: 'Postgres: no member leads; Api: 0 of 2 pods',
    });
  });

  it('stays Ready, and is Degraded, when a component serves with less than was wanted', () => {
    const degraded: ConditionPlan = { ...healthy, type: 'RedisReady', message: 'a replica is missing', degraded: true };
    const conditions = summarize(input({ redis: degraded }));
    expect(find(conditions, 'Ready')).to.include({ status: 'True', reason: 'Degraded' });
    expect(find(conditions, 'Degraded')).to.deep.include({ status: 'True', message: 'Redis: a replica is missing' });
  });

  it('is not up to date while a controller has yet to see what was changed, though every component is healthy', () => {
    const conditions = summarize(input({ postgres: healthy }, { unseen: ['StatefulSet acme-postgres'] }));
    expect(find(conditions, 'Progressing')).to.include({
      status: 'True',
      message: 'changed, and not yet looked at by its controller: StatefulSet acme-postgres',
    });
    expect(find(conditions, 'Reconciling')?.status).to.equal('True');
    expect(find(conditions, 'Ready')?.status).to.equal('True');
  });

  it('says what it waits for while a deleted platform of the same name has something left', () => {
    const starting: ConditionPlan = { ...healthy, status: 'False', reason: 'WaitingForPods', message: 'no pods yet' };
    const conditions = summarize(input({ redis: starting }, { leftovers: 'Secret acme-redis and 3 more' }));
    expect(find(conditions, 'Progressing')).to.include({
      status: 'True',
      reason: 'WaitingForDeletion',
      message: 'waits until what a deleted platform of this name has left is gone: Secret acme-redis and 3 more',
    });
    expect(find(conditions, 'Reconciling')?.reason).to.equal('WaitingForDeletion');
  });

  it('shows Reconciling only while something is under way', () => {
    const rolling: ConditionPlan = { ...healthy, type: 'ApiReady', progressing: true };
    expect(find(summarize(input({ api: rolling })), 'Reconciling')).to.include({
      status: 'True',
      reason: 'RollingOut',
    });
    expect(find(summarize(input({ api: healthy })), 'Reconciling')).to.equal(undefined);
  });

  it('says that it tries again when part of the plan has failed', () => {
    const conditions = summarize(input({ api: healthy }, { failures: ['apply Service acme-api: quota exceeded'] }));
    expect(find(conditions, 'Progressing')).to.deep.include({
      status: 'True',
      reason: 'Retrying',
      message: 'apply Service acme-api: quota exceeded',
    });
  });

  it('is Stalled, and no longer Reconciling, when only a person can help', () => {
    const conditions = summarize(
      input({ api: { ...healthy, progressing: true } }, { terminal: ['Service acme-api belongs to somebody else'] }),
    );
    expect(find(conditions, 'Stalled')).to.include({
      status: 'True',
      message: 'Service acme-api belongs to somebody else',
    });
    expect(find(conditions, 'Reconciling')).to.equal(undefined);
  });

  it('says that it is paused', () => {
    expect(find(summarize(input({ api: healthy }, { paused: true })), 'Progressing')).to.include({
      status: 'False',
      reason: 'Paused',
    });
  });

  it('does not know whether it is Ready when a component does not know', () => {
    const unknown: ConditionPlan = {
      type: 'RedisReady',
      status: 'Unknown',
      reason: 'NotProbed',
      message: 'no probe has answered',
    };
    expect(find(summarize(input({ redis: unknown })), 'Ready')?.status).to.equal('Unknown');
  });
});
