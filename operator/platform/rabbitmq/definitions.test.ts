import { expect } from 'chai';
import type { ComponentPlan } from '../core/component.ts';
import { decide } from './decide.ts';
import type { Policy } from './definitions-client.ts';
import { type FoundDefinitions, troubleOf } from './found-definitions.ts';
import type { Observed } from './observe.ts';
import { HASHING_ALGORITHM, hashPassword } from './password-hash.ts';
import { wantedPolicy } from './policy.ts';
import { answer, effective, healthyCluster, member, observed, platform, pod, silentPod } from './testing/fixtures.ts';

const policy = wantedPolicy(effective.workers, []) as Policy;
const host = '10.0.0.10';
const application = { type: 'rabbitmq.restore-user', host, user: 'application' };
const operator = { type: 'rabbitmq.restore-user', host, user: 'operator' };
const vhost = { type: 'rabbitmq.ensure-vhost', host };
const restorePolicy = { type: 'rabbitmq.restore-policy', host, policy };

function plan(found: Partial<FoundDefinitions>, fields: Partial<Observed> = {}): ComponentPlan {
  return decide(platform, effective, observed({ cluster: { ...healthyCluster, ...found }, ...fields }), []);
}

/** All three nodes, each refusing the login. */
const refusing = [0, 1, 2].map((ordinal) => {
  const refusal = { kind: 'password', message: 'does not accept the password' } as const;
  return pod(ordinal, {
    answer: {
      ...answer(
        ordinal,
        [0, 1, 2].map((one) => member(one)),
      ),
      amqpProblem: refusal,
    },
  });
});

describe('the definitions that are kept in RabbitMQ', () => {
  it('are left alone while they are as they should be', () => {
    const { actions, events, condition } = plan({ deadLetters: true, policy });
    expect([actions, events]).to.deep.equal([[], []]);
    expect(condition.reason).to.equal('Healthy');
  });

  const cases: readonly [what: string, found: Partial<FoundDefinitions>, actions: unknown[], message: string][] = [
    [
      'an application’s user that was deleted, with its permissions',
      { userTrouble: 'missing', permitted: false },
      [application, vhost],
      'user isp_support is missing: this is being put right',
    ],
    [
      'its password',
      { userTrouble: 'password' },
      [application, vhost],
      'user isp_support has another password than its Secret: this is being put right',
    ],
    [
      'its tags',
      { userTrouble: 'tags' },
      [application, vhost],
      'user isp_support has other tags than administrator: this is being put right',
    ],
    [
      'the operator’s user',
      { operatorTrouble: 'missing' },
      [operator],
      'user isp_support_operator is missing: this is being put right',
    ],
    [
      'a policy that was deleted',
      { deadLetters: true },
      [restorePolicy],
      'policy isp-dead-letters is missing: this is being put right',
    ],
    [
      'a policy that was changed',
      { deadLetters: true, policy: { ...policy, pattern: '.*' } },
      [restorePolicy],
      'policy isp-dead-letters is another: this is being put right',
    ],
  ];
  for (const [what, found, actions, message] of cases)
    it(`put right ${what}, and tell of it`, () => {
      const repaired = plan(found);
      expect(repaired.actions).to.deep.equal(actions);
      expect(repaired.condition).to.include({ reason: 'DefinitionsChanged', message });
      expect(repaired.events?.map(({ reason, note }) => [reason, note])).to.deep.equal([
        ['DefinitionsRestored', message.replace('this is being put right', 'put right')],
      ]);
    });

  it('are what clients wait for only where these are refused', () => {
    const statuses = (['missing', 'password', 'tags'] as const).map(
      (userTrouble) => plan({ userTrouble }).condition.status,
    );
    expect(statuses).to.deep.equal(['False', 'False', 'True']);
    expect(plan({ operatorTrouble: 'password' }).condition.status).to.equal('True');
    expect(plan({ deadLetters: true }).condition.status).to.equal('True');
  });

  it('have the vhost made before anybody is let into it, and the user before that', () => {
    const lost = plan({ userTrouble: 'missing', vhost: false, permitted: false });
    expect(lost.actions).to.deep.equal([application, vhost]);
    expect(lost.condition.message).to.match(/^user isp_support is missing; vhost isp_support is missing/);
  });

  it('never carry a password in an action, which is logged', () => {
    const { actions } = plan({ userTrouble: 'missing', operatorTrouble: 'missing' });
    expect(JSON.stringify(actions)).not.to.include('pass');
  });

  it('are put right as soon as one node refuses the login, which is no fault of the node', () => {
    const refused = plan({}, { pods: refusing });
    expect(refused.actions).to.deep.equal([application, vhost]);
    expect(refused.status?.rabbitmq?.runningNodes).to.have.length(3);
    expect(refused.condition).to.include({ status: 'False', reason: 'DefinitionsChanged' });
    expect(refused.condition.message).to.equal('user isp_support is refused: this is being put right');
  });

  it('wait for a node that runs', () => {
    expect(plan({ userTrouble: 'missing' }, { pods: [silentPod(0), pod(1), pod(2)] }).actions).to.deep.equal([
      { ...application, host: '10.0.0.11' },
      { ...vhost, host: '10.0.0.11' },
    ]);
    const none = plan({ userTrouble: 'missing' }, { pods: [silentPod(0), silentPod(1), silentPod(2)] });
    expect([none.actions, none.events]).to.deep.equal([[], []]);
  });

  it('are told of, and left as they are, while the platform is paused', () => {
    const cluster = { ...healthyCluster, userTrouble: 'missing' } as const;
    const paused = decide(platform, { ...effective, paused: true }, observed({ cluster }), []);
    expect([paused.actions, paused.events]).to.deep.equal([[], []]);
    expect(paused.condition.message).to.match(/^user isp_support is missing: nothing is done about it/);
  });

  it('say who has to do what when both users are refused', () => {
    const pods = refusing.map((one) => ({
      ...one,
      answer: { uid: one.uid, members: [], managementProblem: 'does not accept the password' },
    }));
    const { condition, actions } = plan({}, { pods });
    expect(actions).to.deep.equal([]);
    expect(condition).to.include({ status: 'False', reason: 'LockedOut' });
    expect(condition.message).to.include('delete pod acme-rabbitmq-2');
  });

  describe('the policy', () => {
    it('waits until the application has a place for dead letters', () => {
      expect(plan({ deadLetters: false }).actions).to.deep.equal([]);
    });

    it('waits while a node is down, when a queue with ways of its own may not be told of', () => {
      const down = { pods: [pod(0), pod(1), silentPod(2)] };
      expect(plan({ deadLetters: true }, down).actions).to.deep.equal([]);
    });

    it('is known again in any order of its keys, and not with any value changed', () => {
      const reversed = Object.fromEntries(Object.entries(policy.definition).toReversed());
      expect(plan({ deadLetters: true, policy: { ...policy, definition: reversed } }).actions).to.deep.equal([]);
      const { overflow: _, ...less } = policy.definition;
      const others: readonly Policy[] = [
        { ...policy, priority: 0 },
        { ...policy, 'apply-to': 'all' },
        { ...policy, definition: { ...policy.definition, 'delivery-limit': 3 } },
        { ...policy, definition: { ...policy.definition, 'max-length': 3 } },
        { ...policy, definition: less },
      ];
      for (const other of others)
        expect(plan({ deadLetters: true, policy: other }).actions).to.deep.equal([restorePolicy]);
    });

    it('is left as it is where no queue is for it', () => {
      const ownWays = effective.workers.flatMap(({ queues }) => queues);
      expect(plan({ deadLetters: true, policy, ownWays }).actions).to.deep.equal([]);
    });

    it('follows the queues that came to have ways of their own', () => {
      const ownWays = ['ai_tasks'];
      const { actions } = plan({ deadLetters: true, policy, ownWays });
      expect(actions).to.deep.equal([
        { ...restorePolicy, policy: { ...policy, pattern: '^(batch_jobs|high_priority|messages|reports|webhooks)$' } },
      ]);
    });
  });
});

describe('the trouble of a user', () => {
  const login = { username: 'isp_support', password: 'secret' };
  const user = {
    name: 'isp_support',
    passwordHash: hashPassword('secret', 'salt'),
    hashingAlgorithm: HASHING_ALGORITHM,
    tags: ['administrator'],
  };

  it('is told, the worst first', () => {
    expect(troubleOf([user], login)).to.equal(undefined);
    expect(troubleOf([{ ...user, name: 'other' }], login)).to.equal('missing');
    expect(troubleOf([{ ...user, passwordHash: hashPassword('else', 'salt'), tags: [] }], login)).to.equal('password');
    expect(troubleOf([{ ...user, passwordHash: '' }], login)).to.equal('password');
    expect(troubleOf([{ ...user, tags: [] }], login)).to.equal('tags');
    expect(troubleOf([{ ...user, tags: ['administrator', 'monitoring'] }], login)).to.equal('tags');
  });
});
