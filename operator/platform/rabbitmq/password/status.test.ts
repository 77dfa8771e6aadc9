import { expect } from 'chai';
import type { Pod, StatefulSet } from '../../../kube/resources.ts';
import type { ComponentPlan, Scope } from '../../core/component.ts';
import type { PasswordRotationStatus } from '../../core/platform.ts';
import { cached, now, scopeOf } from '../../core/testing/scope.ts';
import { rabbitmqComponent } from '../component.ts';
import { type FoundTurn, turnId } from '../found-definitions.ts';
import { answer, healthyCluster, member } from '../testing/fixtures.ts';
import { secret } from '../tls/testing/world.ts';

const pod = 'acme-rabbitmq-0';
const next = { username: 'isp_support_alt', password: 'p1' };
const nodes = [
  cached<StatefulSet>(
    { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'acme-rabbitmq' } } as StatefulSet,
    'rabbitmq',
    { spec: { replicas: 1 }, status: { replicas: 1, updateRevision: 'a', observedGeneration: 1 } },
  ),
  cached<Pod>({ apiVersion: 'v1', kind: 'Pod', metadata: { name: pod } } as Pod, 'rabbitmq', {
    metadata: { labels: { 'isp.support/component': 'rabbitmq', 'controller-revision-hash': 'a' } },
    status: { podIP: '10.0.0.10', conditions: [{ type: 'Ready', status: 'True' }] },
  }),
];
const app = secret('acme-app', {
  CELERY_BROKER_URL: 'amqp://isp_support_alt:p1@acme-rabbitmq.support.svc:5672/isp_support',
});
const nextSecret = secret('acme-rabbitmq-next', { ...next, last: 'p0' }, { 'isp.support/rotated-for': 'one' });

/** The Secret in force, with what it says of the rotation. */
function login(user: string, password: string, notes: Record<string, string> = {}) {
  const uri = `amqp://${user}:${password}@acme-rabbitmq.support.svc:5672/isp_support`;
  const annotations = Object.fromEntries(Object.entries(notes).map(([key, value]) => [`isp.support/${key}`, value]));
  return secret('acme-rabbitmq', { username: user, password, vhost: 'isp_support', uri }, annotations);
}

const long = { 'password-step-since': '2025-12-31T00:00:00Z' };
const accepting = [login('isp_support', 'p0', { 'password-step': 'Accepting', ...long }), nextSecret];
const inForce = [
  login('isp_support_alt', 'p1', { 'rotated-for': 'one', 'password-step': 'InForce', ...long }),
  nextSecret,
  app,
];
const done = [login('isp_support_alt', 'p1', { 'rotated-for': 'one', 'retired-for': 'one' }), app];

interface Found {
  readonly other?: FoundTurn;
  readonly probes?: Readonly<Record<string, unknown>>;
  readonly before?: PasswordRotationStatus;
  readonly paused?: boolean;
}

function scopeWith(
  objects: Parameters<typeof scopeOf>[0] & {},
  { other, probes = {}, before, paused }: Found = {},
): Scope {
  const rabbitmq = {
    runningNodes: [],
    quorumCritical: [],
    ...(before === undefined ? {} : { passwordRotation: before }),
  };
  return scopeOf({
    spec: { rabbitmq: { nodes: 1 }, ...(paused === true ? { paused } : {}) },
    status: { rabbitmq },
    annotations: { 'isp.support/rotate-rabbitmq-password': 'one' },
    ...objects,
    objects: [...(objects.objects ?? []), ...nodes],
    probes: {
      [`rabbitmq/${pod}`]: { ...answer(0, [member(0)]), uid: `uid-${pod}` },
      'rabbitmq/cluster': { ...healthyCluster, ...(other === undefined ? {} : { other }) },
      ...probes,
    },
  });
}

function planOf(...args: Parameters<typeof scopeWith>): ComponentPlan {
  return rabbitmqComponent.plan(scopeWith(...args), []);
}

function asked(...args: Parameters<typeof scopeWith>): string[] {
  return rabbitmqComponent.probes(scopeWith(...args)).map(({ name }) => name);
}

const valid = (turn: { username: string; password?: string }) => ({ id: turnId(turn), state: 'valid' as const });

describe('what a rotation of the password adds to RabbitMQ', () => {
  it('is nothing where nobody ever asked', () => {
    const plan = planOf({ objects: [login('isp_support', 'p0')], annotations: {} });
    expect(plan.actions).to.deep.equal([]);
    expect(plan.status?.rabbitmq).to.not.have.property('passwordRotation');
    expect(plan.condition.reason).to.equal('Healthy');
  });

  it('makes the next login through a node that runs, without a password in the action, which is logged', () => {
    const other = { id: turnId(next), state: 'missing' as const };
    const { actions, status, condition, events } = planOf({ objects: accepting }, { other });
    expect(actions).to.deep.equal([{ type: 'rabbitmq.admit-user', host: '10.0.0.10' }]);
    expect(status?.rabbitmq?.passwordRotation).to.deep.equal({
      request: 'one',
      phase: 'Preparing',
      username: 'isp_support',
      message: 'waits for the nodes to have both logins',
    });
    expect(condition).to.include({ status: 'True', reason: 'PasswordRotation', progressing: true });
    expect(condition.message).to.match(
      /; the password is being rotated, which waits for the nodes to have both logins$/,
    );
    expect(events?.map(({ reason, note }) => [reason, note])).to.deep.equal([
      ['RabbitMQPasswordRotation', 'a new password of RabbitMQ is asked for; the nodes are getting it'],
    ]);
  });

  it('tells of each phase once', () => {
    const before = { request: 'one', phase: 'Preparing', username: 'isp_support' };
    expect(planOf({ objects: accepting }, { before }).events).to.deep.equal([]);
  });

  it('changes nothing while the platform is paused', () => {
    const other = { id: turnId(next), state: 'missing' as const };
    expect(planOf({ objects: accepting }, { other, paused: true }).actions).to.deep.equal([]);
  });

  it('tries the next login only when it is to work, so that none comes to the log of a node', () => {
    const name = `rabbitmq/next-login/${pod}`;
    expect(asked({ objects: accepting })).to.not.include(name);
    expect(asked({ objects: accepting }, { other: valid({ ...next, password: 'another' }) })).to.not.include(name);
    expect(asked({ objects: accepting }, { other: valid(next) })).to.include(name);
    expect(asked({ objects: inForce }, { other: valid(next) })).to.not.include(name);
  });

  it('takes the answer of an earlier pod, or about another login, for none', () => {
    const message = (answered: object) =>
      planOf(
        { objects: accepting },
        {
          other: valid(next),
          probes: { [`rabbitmq/next-login/${pod}`]: { uid: `uid-${pod}`, id: turnId(next), ...answered } },
        },
      ).status?.rabbitmq?.passwordRotation?.message;
    expect(message({})).to.equal(undefined);
    for (const other of [{ uid: 'earlier' }, { id: 'other' }, { problem: { kind: 'password', message: 'no' } }])
      expect(message(other)).to.equal(`waits for ${pod} to let isp_support_alt in`);
  });

  it('asks who is connected with the last login until it is gone, and no longer', () => {
    expect(asked({ objects: accepting })).to.not.include('rabbitmq/last-clients');
    expect(asked({ objects: inForce })).to.include('rabbitmq/last-clients');
    expect(asked({ objects: done })).to.not.include('rabbitmq/last-clients');
  });

  it('looks again when two minutes without a client are over', () => {
    const quietSince = new Date(now.getTime() - 90_000).toISOString();
    const probes = { 'rabbitmq/last-clients': { names: [], quietSince } };
    const other = valid({ username: 'isp_support', password: 'p0' });
    const { requeueAfterMs, status } = planOf({ objects: inForce }, { other, probes });
    expect(status?.rabbitmq?.passwordRotation?.message).to.equal(
      'waits for two minutes without a client of isp_support',
    );
    expect(requeueAfterMs).to.equal(30_000);
  });

  it('ends when it is done, and revokes again what a node has made anew', () => {
    const before = { request: 'one', phase: 'Done', username: 'isp_support_alt' };
    const gone = { id: turnId({ username: 'isp_support' }), state: 'missing' as const };
    const quiet = planOf({ objects: done }, { other: gone, before });
    expect([quiet.actions, quiet.events, quiet.condition.reason]).to.deep.equal([[], [], 'Healthy']);
    expect(quiet.status?.rabbitmq?.passwordRotation).to.deep.equal(before);
    const back = planOf({ objects: done }, { other: { ...gone, state: 'password' }, before });
    expect(back.actions).to.deep.equal([{ type: 'rabbitmq.revoke-user', host: '10.0.0.10', username: 'isp_support' }]);
    expect(back.events?.map(({ reason, note }) => [reason, note])).to.deep.equal([
      ['DefinitionsRestored', 'user isp_support, which was revoked, is there again: put right'],
    ]);
  });
});
