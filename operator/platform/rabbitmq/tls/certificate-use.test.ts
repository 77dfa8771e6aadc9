import { checkServerIdentity } from 'node:tls';
import { expect } from 'chai';
import { scopeOf } from '../../core/testing/scope.ts';
import { nodeHost } from '../names.ts';
import { platform } from '../testing/fixtures.ts';
import { rabbitmqCertificateUse } from './certificate-use.ts';
import { leaf, leafSecret, login, pod, scopeWith, set, told } from './testing/world.ts';

const shown = leaf.certificate.id;

describe('what RabbitMQ needs of the authority', () => {
  it('is nothing without TLS', () => {
    expect(rabbitmqCertificateUse(scopeOf())).to.equal(undefined);
    expect(rabbitmqCertificateUse(scopeWith([set('plain'), pod(0, 'plain')], { spec: {} }))).to.equal(undefined);
  });

  it('is a certificate in every name by which a client or the operator asks for a node', () => {
    expect(rabbitmqCertificateUse(scopeWith([]))?.leaves[0]?.secret).to.equal('acme-rabbitmq-tls');
    const certificate = leaf.certificate.x509.toLegacyObject() as never;
    for (const host of [
      'acme-rabbitmq',
      'acme-rabbitmq.support',
      'acme-rabbitmq.support.svc',
      'acme-rabbitmq-nodes.support.svc',
      nodeHost(platform, 'acme-rabbitmq-0'),
      nodeHost(platform, 'acme-rabbitmq-4'),
      'acme-rabbitmq-2.acme-rabbitmq-nodes',
    ])
      expect(checkServerIdentity(host, certificate), host).to.equal(undefined);
    expect(checkServerIdentity('acme-rabbitmq.other.svc', certificate)).to.be.an('error');
  });

  it('has a rotation wait for a node until it shows the newest certificate, and for none that has no TLS', () => {
    const pods = [pod(0, 'both'), pod(1, 'both'), pod(2, 'plain'), pod(3, 'tls')];
    const use = rabbitmqCertificateUse(
      scopeWith([leafSecret, set('both'), ...pods], { shown: { 0: shown, 1: 'last' } }),
    );
    expect(use?.unserved(shown)).to.deep.equal(['acme-rabbitmq-1', 'acme-rabbitmq-3']);
    expect(use?.distrusting('any')).to.deep.equal([]);
  });

  it('takes what a pod of an earlier time showed for nothing', () => {
    const later = pod(0, 'both');
    const scope = scopeWith([leafSecret, { ...later, metadata: { ...later.metadata, uid: 'another' } }], {
      shown: { 0: shown },
    });
    expect(rabbitmqCertificateUse(scope)?.unserved(shown)).to.deep.equal(['acme-rabbitmq-0']);
  });

  it('stays while it is turned off, until nothing is served with it', () => {
    const objects = [leafSecret, login, told('amqps'), set('tls'), pod(0, 'tls')];
    expect(rabbitmqCertificateUse(scopeWith(objects, { spec: {} }))).to.not.equal(undefined);
    const last = [leafSecret, login, told('amqp'), set('plain'), pod(0, 'both'), pod(1, 'plain')];
    expect(rabbitmqCertificateUse(scopeWith(last, { spec: {} }))).to.not.equal(undefined);
    expect(rabbitmqCertificateUse(scopeWith(last.with(4, pod(0, 'plain')), { spec: {} }))).to.equal(undefined);
  });
});
