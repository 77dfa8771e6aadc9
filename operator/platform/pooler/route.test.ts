import { expect } from 'chai';
import type { Deployment, Secret } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import { apiComponent } from '../application/api/component.ts';
import { beatComponent } from '../application/beat/component.ts';
import { migrationsComponent } from '../application/migrations/component.ts';
import { workersComponent } from '../application/workers/component.ts';
import type { Component, Scope } from '../core/component.ts';
import { scopeOf } from '../core/testing/scope.ts';
import { credentialsComponent } from '../credentials/component.ts';
import type { PlatformSpec } from '../schema/spec.ts';
import { ENABLED, poolerDeployment, poolerPod, secretOf } from './fixtures.ts';

const DIRECT = 'postgresql://isp_support:secret@acme-postgres-primary.support.svc:5432/isp_support';
const POOLED = 'postgresql://isp_support:secret@acme-postgres-pooler.support.svc:5432/isp_support';

const engines = [
  secretOf(
    'acme-postgres',
    { username: 'isp_support', password: 'secret', database: 'isp_support', uri: DIRECT },
    'postgres',
  ),
  secretOf('acme-postgres-admin', {}, 'postgres'),
  secretOf('acme-redis', { password: 'r', uri: 'redis://r' }, 'postgres'),
  secretOf('acme-rabbitmq', { uri: 'amqp://r' }, 'postgres'),
];
const routed = secretOf('acme-app', { DATABASE_URL: POOLED, DATABASE_DIRECT_URL: DIRECT }, 'api');
const unrouted = secretOf('acme-app', { DATABASE_URL: DIRECT, SECRET_KEY: 'k' }, 'api');

function application(scope: Scope): Record<string, string> {
  const { creates = [], objects } = credentialsComponent((length) => 'x'.repeat(length)).plan(scope, []);
  const secret = [...creates, ...objects].find(({ metadata }) => metadata.name === 'acme-app') as Secret | undefined;
  const values = Object.entries(secret?.data ?? {});
  return Object.fromEntries(values.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

function templateOf(component: Component, scope: Scope) {
  const { objects, creates = [] } = component.plan(scope, []);
  return (
    [...objects, ...creates].find(({ kind }) => kind === 'Deployment' || kind === 'Job') as Deployment | undefined
  )?.spec?.template;
}

describe('the way to the database', () => {
  it('leads to the primary, and nowhere else is named, without a pooler', () => {
    const values = application(scopeOf({ objects: engines }));
    expect(values['DATABASE_URL']).to.equal(DIRECT);
    expect(values).to.not.have.property('DATABASE_DIRECT_URL');
  });

  it('leads to the pooler from the start on a new platform, with the direct one beside it', () => {
    expect(application(scopeOf({ spec: ENABLED, objects: engines }))).to.include({
      DATABASE_URL: POOLED,
      DATABASE_DIRECT_URL: DIRECT,
    });
  });

  it('is moved on a platform that serves when the pooler does too, and then stays', () => {
    const urlWith = (...objects: KubeObject[]) =>
      application(scopeOf({ spec: ENABLED, objects: [...engines, ...objects] }))['DATABASE_URL'];
    expect(urlWith(unrouted)).to.equal(DIRECT);
    expect(urlWith(unrouted, poolerDeployment('acme-postgres-pooler', 0))).to.equal(DIRECT);
    expect(urlWith(unrouted, poolerDeployment('acme-postgres-pooler', 1))).to.equal(POOLED);
    expect(urlWith(routed, poolerDeployment('acme-postgres-pooler', 0))).to.equal(POOLED);
  });

  it('leads to no pooler that is not made', () => {
    const spec = { postgres: { pooler: { enabled: true, maxServerConnections: 9000 } } };
    expect(application(scopeOf({ spec, objects: engines }))['DATABASE_URL']).to.equal(DIRECT);
  });

  it('leads back to the primary when the pooler is switched off', () => {
    const values = application(scopeOf({ objects: [...engines, routed] }));
    expect(values).to.include({ DATABASE_URL: DIRECT, DATABASE_DIRECT_URL: DIRECT });
  });

  describe('with TLS', () => {
    const both: PlatformSpec = { postgres: { pooler: { enabled: true }, tls: { enabled: true } } };
    const query = '?sslmode=verify-full&sslrootcert=/etc/isp-support/ca/ca.crt';
    const used = secretOf('acme-app', { DATABASE_URL: `${DIRECT}${query}`, SECRET_KEY: 'k' }, 'api');
    const secured = (name: string) => poolerPod('writes', name, { 'isp.support/tls': 'on' });
    const urls = (...objects: KubeObject[]) => application(scopeOf({ spec: both, objects: [...engines, ...objects] }));

    it('demands it of the pooler as of the primary, from the start on a new platform', () => {
      expect(urls()).to.include({ DATABASE_URL: `${POOLED}${query}`, DATABASE_DIRECT_URL: `${DIRECT}${query}` });
    });

    it('leads to no pooler that has a pod without it, or one that is being replaced', () => {
      const deployment = poolerDeployment('acme-postgres-pooler');
      const rolling = { ...deployment, status: { ...deployment.status, updatedReplicas: 1 } };
      expect(urls(used, deployment, secured('a'), poolerPod('writes', 'b'))['DATABASE_URL']).to.equal(DIRECT + query);
      expect(urls(used, rolling, secured('a'), secured('b'))['DATABASE_URL']).to.equal(DIRECT + query);
      expect(urls(used, deployment, secured('a'), secured('b'))['DATABASE_URL']).to.equal(POOLED + query);
    });

    it('does not demand it of a pooler that is in use before all of its pods have it', () => {
      expect(urls(routed, poolerDeployment('acme-postgres-pooler'), poolerPod('writes', 'a'))).to.include({
        DATABASE_URL: POOLED,
        DATABASE_DIRECT_URL: DIRECT,
      });
    });
  });

  it('has the API, the workers and the beat replaced once the Secret has it, not before', () => {
    for (const component of [apiComponent, workersComponent, beatComponent]) {
      const before = templateOf(component, scopeOf({ spec: ENABLED, objects: [unrouted] }));
      expect(before).to.deep.equal(templateOf(component, scopeOf({ objects: [unrouted] })));
      expect(before?.metadata).to.not.have.property('annotations');
      const after = templateOf(component, scopeOf({ spec: ENABLED, objects: [routed] }));
      expect(after?.metadata?.annotations).to.deep.equal({ 'isp.support/database-route': 'pooler' });
    }
  });

  it('goes around the pooler for the migrations, whose session holds a lock', () => {
    const env = (objects: Secret[]) =>
      templateOf(migrationsComponent, scopeOf({ objects }))?.spec?.containers[0]?.env?.find(
        ({ name }) => name === 'DATABASE_URL',
      );
    expect(env([unrouted])).to.equal(undefined);
    expect(env([routed])?.valueFrom?.secretKeyRef).to.deep.equal({ name: 'acme-app', key: 'DATABASE_DIRECT_URL' });
  });
});
