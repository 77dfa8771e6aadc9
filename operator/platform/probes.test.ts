import { expect } from 'chai';
import type { Pod, Secret } from '../kube/resources.ts';
import type { Component, Scope } from './core/component.ts';
import { encodeSecret } from './core/secrets.ts';
import { isCollected } from './core/testing/collected.ts';
import { cached, scopeOf } from './core/testing/scope.ts';
import { poolerComponent } from './pooler/component.ts';
import { ENABLED, poolerPod, poolerScope } from './pooler/fixtures.ts';
import { postgresComponent } from './postgres/component.ts';
import { podOf, primaryReading, streaming } from './postgres/fixtures.ts';
import { redisComponent } from './redis/component.ts';

function secretOf(name: string, values: Record<string, string>): Secret {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: encodeSecret(values) };
}

function postgresScope(): Scope {
  const pods = [0, 1].map((ordinal) => podOf(ordinal, { role: ordinal === 0 ? 'primary' : 'replica' }));
  return scopeOf({
    objects: [...pods, secretOf('acme-postgres-admin', { 'superuser-password': 'p' })],
    probes: { 'postgres/acme-postgres-0': primaryReading([streaming(1)]) },
  });
}

function redisScope(): Scope {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'acme-redis-0-0', uid: 'u' } } as Pod;
  return scopeOf({
    objects: [
      cached(pod, 'redis', { status: { podIP: '10.0.0.9', phase: 'Running' } }),
      secretOf('acme-redis', { password: 'p' }),
    ],
  });
}

/** A reading lasts for as long as its pod does, and with it whatever a closure of its probe has. */
describe('the probes of a component', () => {
  const cases: readonly [string, Component, () => Scope, number][] = [
    ['postgres', postgresComponent, postgresScope, 7],
    ['redis', redisComponent, redisScope, 1],
    [
      'the pooler',
      poolerComponent(() => 'random'),
      () => poolerScope({ spec: ENABLED, primary: 0, pods: [['writes', poolerPod('writes', 'a')]] }),
      1,
    ],
    [
      'the pooler with TLS',
      poolerComponent(() => 'random'),
      () => poolerScope({ primary: 0, pods: [['writes', poolerPod('writes', 'a', { 'isp.support/tls': 'on' })]] }),
      2,
    ],
  ];
  for (const [name, component, make, count] of cases)
    it(`do not keep the scope that they were made from: ${name}`, async () => {
      expect(component.probes(make())).to.have.length(count);
      expect(await isCollected(make, (scope) => component.probes(scope))).to.equal(true);
    });
});
