import { expect } from 'chai';
import type { ConfigMap, Pod } from '../../../kube/resources.ts';
import { cached } from '../../core/testing/scope.ts';
import { rabbitmqComponent } from '../component.ts';
import { brokerUrl, uriPatches } from '../url.ts';
import { tlsOf } from './facts.ts';
import { authoritySecret, leafSecret, login, pod, scopeWith, secret, set, told, trusted } from './testing/world.ts';

const both = [set('both'), pod(0, 'both'), pod(1, 'both'), pod(2, 'both')];
const secrets = [login, leafSecret, authoritySecret];
const shown = { 0: 'leaf', 1: 'leaf', 2: 'leaf' };

function applicationPod(annotations: Record<string, string>): Pod {
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'acme-api-1' } } as Pod;
  return cached<Pod>(object, 'api', { metadata: { annotations }, status: { phase: 'Running' } });
}

const withBundle = applicationPod({ 'isp.support/newest-authority': 'ca' });

describe('where TLS for RabbitMQ stands', () => {
  it('is read from what there is: the template, the pods, what they show, and what the application was told', () => {
    expect(tlsOf(scopeWith([...secrets, set('plain'), told('amqp'), pod(0, 'plain')]))).to.include({ listen: 'both' });
    const seen = [...secrets, ...both, told('amqp')];
    expect(tlsOf(scopeWith([...seen, withBundle], { shown }))).to.include({ listen: 'both', use: true });
    expect(tlsOf(scopeWith([...seen, withBundle], { shown: { 0: 'leaf', 1: 'leaf' } }))).to.include({ use: false });
    expect(tlsOf(scopeWith([...seen, applicationPod({})], { shown }))).to.include({ use: false });
    expect(tlsOf(scopeWith([...secrets, set('tls'), pod(0, 'tls'), told('amqps')]))).to.include({ listen: 'tls' });
  });

  it('waits for pods of the application that have the last address', () => {
    const objects = [...secrets, ...both, told('amqps')];
    const asked = { ...scopeWith(objects, { shown }), probes: { get: answers({ names: [] }) } };
    expect(tlsOf(asked)).to.include({ listen: 'tls' });
    // Who is not asked any more has no answer, and it would begin anew.
    expect(rabbitmqComponent.probes(asked).map(({ name }) => name)).to.include('rabbitmq/plain-clients');
    const app = { ...told('amqps') };
    const counted = { ...app, metadata: { ...app.metadata, annotations: { 'isp.support/broker-login': '1' } } };
    const late = scopeWith([...secrets, ...both, counted, withBundle], { shown });
    expect(tlsOf({ ...late, probes: { get: answers({ names: [] }) } }).progress).to.contain('to use it');
  });

  it('asks who is connected without TLS only while that matters', () => {
    const asked = (objects: Parameters<typeof scopeWith>[0], options = {}) =>
      rabbitmqComponent.probes(scopeWith([...secrets, ...objects], { shown, ...options })).map(({ name }) => name);
    expect(asked([...both, told('amqps'), withBundle])).to.include('rabbitmq/plain-clients');
    expect(asked([...both, told('amqp'), withBundle])).to.not.include('rabbitmq/plain-clients');
    expect(asked([...both, told('amqps')], { spec: {} })).to.not.include('rabbitmq/plain-clients');
    expect(asked([set('tls'), pod(0, 'tls'), told('amqps')])).to.not.include('rabbitmq/plain-clients');
  });

  it('looks at the certificates of the pods that have one, and asks those with TLS', () => {
    const mixed = [...secrets, set('both'), pod(0, 'plain'), pod(1, 'both'), told('amqp')];
    const probes = rabbitmqComponent.probes(scopeWith(mixed));
    expect(probes.map(({ name }) => name)).to.deep.equal([
      'rabbitmq/acme-rabbitmq-0',
      'rabbitmq/acme-rabbitmq-1',
      'rabbitmq/cluster',
      'rabbitmq/tls/acme-rabbitmq-1',
    ]);
    expect(probes[1]?.means).to.not.equal(probes[0]?.means);
    expect(trusted(1).trust.servername).to.equal('acme-rabbitmq-1.acme-rabbitmq-nodes.support.svc');
  });
});

describe('a RabbitMQ from which TLS is taken', () => {
  it('keeps the configuration of pods that are still to be replaced, and no longer', () => {
    const files = (last: Pod) => {
      const objects = [...secrets, set('plain'), pod(0, 'plain'), last, told('amqp')];
      const plan = rabbitmqComponent.plan(scopeWith(objects, { spec: {} }), []);
      const config = plan.objects.find(({ kind }) => kind === 'ConfigMap') as ConfigMap;
      return Object.keys(config.data ?? {});
    };
    expect(files(pod(1, 'both'))).to.include('rabbitmq-tls.conf');
    expect(files(pod(1, 'plain'))).to.not.include('rabbitmq-tls.conf');
  });
});

describe('the address of RabbitMQ', () => {
  const url = 'isp_support:pw@acme-rabbitmq.support.svc';

  it('is one with TLS when that is to be used, with nothing in it that kombu does not know', () => {
    expect(brokerUrl(scopeWith(secrets))).to.equal(`amqps://${url}:5671/isp_support`);
    expect(brokerUrl(scopeWith(secrets, { spec: {} }))).to.equal(`amqp://${url}:5672/isp_support`);
    expect(brokerUrl(scopeWith([]))).to.equal(undefined);
  });

  it('is kept right in the Secret of the nodes as well, on the version that was seen', () => {
    expect(uriPatches(scopeWith(secrets, { spec: {} }))).to.deep.equal([]);
    const [patch] = uriPatches(scopeWith(secrets));
    const value = Buffer.from(`amqps://${url}:5671/isp_support`).toString('base64');
    expect(patch).to.deep.include({
      guard: { resourceVersion: '7' },
      operations: [{ op: 'replace', path: '/data/uri', value }],
    });
    const right = secret('acme-rabbitmq', { uri: `amqps://${url}:5671/isp_support` });
    expect(uriPatches(scopeWith([right]))).to.deep.equal([]);
    expect(uriPatches(scopeWith([right], { spec: {} }))).to.have.length(1);
  });
});

/** Every node shows its certificate, and this is who is connected. */
function answers(plainClients: object) {
  return <R>(name: string) => {
    const ordinal = /rabbitmq\/tls\/acme-rabbitmq-(\d)/.exec(name)?.[1];
    const at = new Date(0);
    if (name === 'rabbitmq/plain-clients') return { value: plainClients as R, at };
    if (ordinal === undefined) return undefined;
    const value = { uid: `uid-acme-rabbitmq-${ordinal}`, host: `10.0.0.1${ordinal}`, presented: 'leaf' };
    return { value: value as R, at };
  };
}
