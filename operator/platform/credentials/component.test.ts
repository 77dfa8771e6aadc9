import { expect } from 'chai';
import type { PersistentVolumeClaim, Pod, Secret, StatefulSet } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import { cached, scopeOf } from '../core/testing/scope.ts';
import { passwordHash } from '../redis/password/reading.ts';
import { credentialsComponent } from './component.ts';

let drawn = 0;
const component = credentialsComponent((length) => {
  drawn += 1;
  return String(drawn).padStart(length, 'x');
});

const made = (component.plan(scopeOf(), []).creates as Secret[]).map((secret) => cached<Secret>(secret, 'postgres'));
const claim = cached<PersistentVolumeClaim>(
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data-acme-postgres-0' },
  } as PersistentVolumeClaim,
  'postgres',
);
const set = cached<StatefulSet>(
  { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'acme-postgres' } } as StatefulSet,
  'postgres',
);

function without(name: string, ...others: KubeObject[]): KubeObject[] {
  return [...made.filter(({ metadata }) => metadata.name !== name), ...others];
}

function names(objects: readonly KubeObject[] | undefined): string[] {
  return (objects ?? []).map(({ metadata }) => metadata.name);
}

function decode(secret: Secret | undefined, key: string): string {
  return Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
}

describe('the credentials', () => {
  it('are made for every engine that has none yet', () => {
    expect(names(made)).to.deep.equal([
      'acme-postgres',
      'acme-postgres-admin',
      'acme-redis',
      'acme-rabbitmq',
      'acme-rabbitmq-admin',
    ]);
  });

  it('are collected for the application once all of them are there, with a secret key of its own', () => {
    const [application] = component.plan(scopeOf({ objects: made }), []).creates as Secret[];
    expect(application?.metadata.name).to.equal('acme-app');
    expect(decode(application, 'DATABASE_URL')).to.match(
      /^postgresql:\/\/isp_support:.+@acme-postgres-primary\.support\.svc:5432\/isp_support$/,
    );
    expect(decode(application, 'CELERY_BROKER_URL')).to.match(
      /^amqp:\/\/isp_support:.+@acme-rabbitmq\.support\.svc:5672\/isp_support$/,
    );
    expect(application?.data).to.not.have.property('BROKER_CA_FILE');
    expect(decode(application, 'REDIS_MODE')).to.equal('cluster');
    expect(decode(application, 'SECRET_KEY')).to.have.length(50);
    expect(decode(application, 'ADMIN_TOKEN')).to.match(/^[\w-]{43}$/);
  });

  it('tell the application where the Sentinels are, in that mode alone', () => {
    const secretOf = (scope: ReturnType<typeof scopeOf>) => (component.plan(scope, []).creates as Secret[])[0];
    const cluster = scopeOf({ objects: made });
    expect(secretOf(cluster)?.data).to.not.have.property('REDIS_SENTINELS');
    const { effective } = cluster;
    const sentinel = secretOf({
      ...cluster,
      effective: { ...effective, redis: { ...effective.redis, mode: 'sentinel' } },
    });
    expect(decode(sentinel, 'REDIS_SENTINELS')).to.equal('acme-redis-sentinel.support.svc:26379');
    expect(decode(sentinel, 'REDIS_URL')).to.match(/@acme-redis\.support\.svc:6379\/0$/);
  });

  it('tell the application how to verify a Redis with TLS, in the words of Celery', () => {
    const secured = { spec: { redis: { tls: { enabled: true } } } };
    const secrets = (component.plan(scopeOf(secured), []).creates as Secret[]).map((one) =>
      cached<Secret>(one, 'redis'),
    );
    expect(decode(secrets[2], 'uri')).to.match(/^rediss:\/\/:.+@acme-redis\.support\.svc:6379\/0$/);
    const [application] = component.plan(scopeOf({ ...secured, objects: secrets }), []).creates as Secret[];
    for (const key of ['REDIS_URL', 'CELERY_RESULT_BACKEND'])
      expect(decode(application, key)).to.equal(
        `${decode(secrets[2], 'uri')}?ssl_cert_reqs=required&ssl_ca_certs=/etc/isp-support/ca/ca.crt`,
      );
  });

  it('tell the application an address of RabbitMQ with TLS, and where it finds whom to believe', () => {
    const spec = { rabbitmq: { tls: { enabled: true } } };
    const [application] = component.plan(scopeOf({ spec, objects: made }), []).creates as Secret[];
    expect(decode(application, 'CELERY_BROKER_URL')).to.match(
      /^amqps:\/\/isp_support:.+@acme-rabbitmq\.support\.svc:5671\/isp_support$/,
    );
    expect(decode(application, 'BROKER_CA_FILE')).to.equal('/etc/isp-support/ca/ca.crt');
    expect(application?.metadata.annotations).to.equal(undefined);
    // Turned off: the nodes are gone, so nothing is waited for.
    const told = cached<Secret>(application as Secret, 'api');
    const plan = component.plan(scopeOf({ objects: [...made, told] }), []);
    expect(decode(plan.objects[0] as Secret, 'CELERY_BROKER_URL')).to.match(/^amqp:/);
    expect(decode(plan.objects[0] as Secret, 'BROKER_CA_FILE')).to.equal('/etc/isp-support/ca/ca.crt');
    expect(plan.objects[0]?.metadata.annotations).to.deep.equal({ 'isp.support/broker-login': '1' });
  });

  it('keep the application’s secret key for ever', () => {
    const [application] = component.plan(scopeOf({ objects: made }), []).creates as Secret[];
    if (application === undefined) throw new Error('no Secret was made for the application');
    const plan = component.plan(scopeOf({ objects: [...made, cached<Secret>(application, 'api')] }), []);
    expect(plan.creates).to.deep.equal([]);
    expect(decode(plan.objects[0] as Secret, 'SECRET_KEY')).to.equal(decode(application, 'SECRET_KEY'));
    expect(decode(plan.objects[0] as Secret, 'ADMIN_TOKEN')).to.equal(decode(application, 'ADMIN_TOKEN'));
    expect(plan.condition).to.include({ status: 'True', reason: 'Present' });
  });

  it('give an application that was made without one the same token whenever it is asked for', () => {
    const [application] = component.plan(scopeOf({ objects: made }), []).creates as Secret[];
    const { ADMIN_TOKEN: token, ...earlier } = application?.data ?? {};
    const old = cached<Secret>({ ...(application as Secret), data: earlier }, 'api');
    for (let time = 0; time < 2; time += 1) {
      const plan = component.plan(scopeOf({ objects: [...made, old] }), []);
      expect((plan.objects[0] as Secret).data?.['ADMIN_TOKEN']).to.equal(token);
    }
  });

  it('are never made anew while a database runs on its data with the old ones', () => {
    const plan = component.plan(scopeOf({ objects: without('acme-postgres', claim, set) }), []);
    expect(names(plan.creates)).to.deep.equal([]);
    expect(plan.condition).to.include({ status: 'False', reason: 'Lost' });
    expect(plan.condition.message).to.contain('acme-postgres');
  });

  it('of the operator in RabbitMQ are made anew at any time, and nobody waits for them', () => {
    const [application] = component.plan(scopeOf({ objects: made }), []).creates as Secret[];
    const inRabbitmq = [claim, set].map((object) => cached(object, 'rabbitmq'));
    const others = [...inRabbitmq, cached<Secret>(application as Secret, 'api')];
    const plan = component.plan(scopeOf({ objects: without('acme-rabbitmq-admin', ...others) }), []);
    expect(names(plan.creates)).to.deep.equal(['acme-rabbitmq-admin']);
    expect(plan.condition).to.include({ status: 'True', reason: 'Present' });
  });

  it('are made anew over volumes that were kept, which take them when they start', () => {
    const plan = component.plan(scopeOf({ objects: without('acme-postgres', claim) }), []);
    expect(names(plan.creates)).to.deep.equal(['acme-postgres']);
  });

  it('that lack a key are left alone, and the key is named', () => {
    const [first, ...rest] = made;
    const broken = { ...first, data: { username: first?.data?.['username'] ?? '' } } as Secret;
    const plan = component.plan(scopeOf({ objects: [broken, ...rest] }), []);
    expect(plan.condition).to.include({ status: 'False', reason: 'Incomplete' });
    expect(plan.condition.message).to.contain('acme-postgres').and.to.contain('password');
  });

  describe('of RabbitMQ that are to be rotated', () => {
    const set = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'acme-rabbitmq' } } as StatefulSet;
    const node = cached<Pod>(
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'acme-rabbitmq-0' } } as Pod,
      'rabbitmq',
      {
        status: { podIP: '10.0.0.1' },
      },
    );
    const cluster = [cached<StatefulSet>(set, 'rabbitmq', { spec: { replicas: 1 } }), node];
    const answer = {
      uid: 'uid-acme-rabbitmq-0',
      members: [{ pod: 'acme-rabbitmq-0', running: true, partitions: [], alarms: [] }],
    };
    const planOf = (objects: readonly KubeObject[], request?: string) => {
      const annotations = request === undefined ? {} : { 'isp.support/rotate-rabbitmq-password': request };
      const probes = { 'rabbitmq/acme-rabbitmq-0': answer };
      return component.plan(scopeOf({ objects: [...objects, ...cluster], annotations, probes }), []);
    };
    const named = (name: string, objects: readonly KubeObject[] | undefined) =>
      (objects as Secret[]).find(({ metadata }) => metadata.name === name);
    const users = (secret: Secret | undefined) =>
      (JSON.parse(decode(secret, 'definitions.json')) as { users: { name: string }[] }).users.map(({ name }) => name);

    it('are not touched where nobody ever asked', () => {
      const { creates, objects, remove } = planOf(made);
      for (const name of ['acme-rabbitmq', 'acme-rabbitmq-next'])
        expect([named(name, creates), named(name, objects)], name).to.deep.equal([undefined, undefined]);
      expect(remove).to.deep.equal([]);
    });

    it('get a login of the other user beside them, which nodes that start import as well', () => {
      const old = made.find(({ metadata }) => metadata.name === 'acme-rabbitmq');
      const next = named('acme-rabbitmq-next', planOf(made, 'one').creates);
      if (next === undefined) throw new Error('no next login was made');
      expect([decode(next, 'username'), decode(next, 'last')]).to.deep.equal([
        'isp_support_alt',
        decode(old, 'password'),
      ]);
      expect(decode(next, 'password')).to.have.length(32).and.not.equal(decode(old, 'password'));
      expect(next.metadata.annotations).to.deep.equal({ 'isp.support/rotated-for': 'one' });
      const plan = planOf([...made, cached<Secret>(next, 'rabbitmq')], 'one');
      expect(named('acme-rabbitmq-next', plan.creates)).to.equal(undefined);
      const secret = named('acme-rabbitmq', plan.objects);
      for (const key of ['username', 'password', 'vhost', 'uri'])
        expect(decode(secret, key)).to.equal(decode(old, key));
      expect(users(secret)).to.deep.equal(['isp_support', 'isp_support_alt']);
      expect(secret?.metadata.annotations).to.include({ 'isp.support/password-step': 'Accepting' });
      expect(secret?.data, 'the cookie is left as it is').to.not.have.property('erlang-cookie');
    });

    it('are thrown away where they were made beside a password that somebody has changed since', () => {
      const next = named('acme-rabbitmq-next', planOf(made, 'one').creates);
      if (next === undefined) throw new Error('no next login was made');
      const changed = { ...next, data: { ...next.data, last: Buffer.from('another').toString('base64') } };
      const plan = planOf([...made, cached<Secret>(changed, 'rabbitmq')], 'one');
      expect(plan.remove?.map(({ ref }) => ref.name)).to.deep.equal(['acme-rabbitmq-next']);
      expect(named('acme-rabbitmq', plan.objects)).to.equal(undefined);
    });
  });

  describe('of Redis that are to be rotated', () => {
    const annotations = { 'isp.support/rotate-redis-password': 'one' };
    const inRedis = { 'isp.support/component': 'redis' };
    const set = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'acme-redis-0' } } as StatefulSet;
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'acme-redis-0-0' } } as Pod;
    const cluster = [
      cached<StatefulSet>(set, 'redis', { spec: { replicas: 1 } }),
      cached<Pod>(pod, 'redis', { metadata: { labels: inRedis }, status: { podIP: '10.0.0.1' } }),
    ];
    const old = decode(
      made.find(({ metadata }) => metadata.name === 'acme-redis'),
      'password',
    );
    const scopeWith = (objects: readonly KubeObject[], accepts: readonly string[]) =>
      scopeOf({
        objects: [...objects, ...cluster],
        annotations,
        probes: {
          'redis/password/acme-redis-0-0': {
            uid: 'uid-acme-redis-0-0',
            host: '10.0.0.1',
            answer: { kind: 'view', accepts, offers: passwordHash(old) },
          },
        },
      });
    const namedAs = (name: string, objects: readonly KubeObject[] | undefined) =>
      (objects as Secret[]).find(({ metadata }) => metadata.name === name);

    it('are kept beside the next one, which servers that start take as well', () => {
      const begun = component.plan(scopeWith(made, [passwordHash(old)]), []);
      const next = namedAs('acme-redis-next', begun.creates);
      if (next === undefined) throw new Error('no next password was made');
      expect(decode(next, 'last')).to.equal(old);
      const password = decode(next, 'password');
      expect(password).to.have.length(32).and.not.equal(old);
      const plan = component.plan(scopeWith([...made, cached<Secret>(next, 'redis')], [passwordHash(old)]), []);
      const secret = namedAs('acme-redis', plan.objects);
      expect(decode(secret, 'password')).to.equal(old);
      expect(decode(secret, 'auth.conf')).to.equal(
        `user default on >${old} >${password} ~* &* +@all\nmasterauth ${old}\n`,
      );
      expect(secret?.metadata.annotations).to.include({ 'isp.support/password-step': 'Accepting' });
      expect(namedAs('acme-redis-next', plan.creates)).to.equal(undefined);
    });

    it('have the application’s pods replaced when its address of Redis is another', () => {
      const [first] = component.plan(scopeOf({ objects: made }), []).creates as Secret[];
      if (first === undefined) throw new Error('no Secret was made for the application');
      expect(first.metadata.annotations).to.equal(undefined);
      const changed = made.map((secret) =>
        secret.metadata.name === 'acme-redis'
          ? { ...secret, data: { ...secret.data, uri: Buffer.from('redis://:x@acme').toString('base64') } }
          : secret,
      );
      const plan = component.plan(scopeOf({ objects: [...changed, cached<Secret>(first, 'api')] }), []);
      expect(plan.objects[0]?.metadata.annotations).to.deep.equal({ 'isp.support/redis-login': '1' });
    });
  });
});
