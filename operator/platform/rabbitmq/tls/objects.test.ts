import { expect } from 'chai';
import type { ConfigMap, Service, StatefulSet } from '../../../kube/resources.ts';
import { desiredObjects } from '../desired.ts';
import { effective, platform } from '../testing/fixtures.ts';
import { type Listening, listeningOf } from './names.ts';

function objectsOf(listening?: Listening) {
  const objects = desiredObjects(platform, effective, {
    nodes: 3,
    storage: { size: '2Gi' },
    formed: true,
    critical: false,
    left: [],
    ...(listening === undefined ? {} : { listening }),
  });
  const config = objects.find(({ kind }) => kind === 'ConfigMap') as ConfigMap;
  const set = objects.find(({ kind }) => kind === 'StatefulSet') as StatefulSet;
  const service = objects.find(({ kind, metadata }) => kind === 'Service' && metadata.name === 'acme-rabbitmq');
  const [server] = set.spec?.template.spec?.containers ?? [];
  return {
    all: objects,
    config: config.data ?? {},
    set,
    template: set.spec?.template,
    server,
    service: service as Service,
    file:
      server?.env
        ?.find(({ name }) => name === 'RABBITMQ_CONFIG_FILE')
        ?.value?.split('/')
        .at(-1) ?? '',
  };
}

const portsOf = ({ service }: ReturnType<typeof objectsOf>) =>
  service.spec?.ports?.map(({ name, port }) => `${name} ${port}`);

describe('the objects of a RabbitMQ with TLS', () => {
  it('say nothing of it where it is not wanted', () => {
    expect(JSON.stringify(objectsOf().all)).to.not.match(/tls|ssl|amqps|certificate|567?1/i);
  });

  it('have pods that listen with and without, and mount a certificate', () => {
    const objects = objectsOf('both');
    expect(objects.file).to.equal('rabbitmq-tls.conf');
    const conf = objects.config[objects.file];
    for (const line of [
      'listeners.ssl.default = 5671',
      'ssl_options.certfile = /etc/isp-rabbitmq/tls/tls.crt',
      'ssl_options.keyfile = /etc/isp-rabbitmq/tls/tls.key',
      'ssl_options.versions.2 = tlsv1.2',
      'ssl_options.bypass_pem_cache = true',
      'management.tcp.port = 15672',
      'management.ssl.port = 15671',
      'management.ssl.certfile = /etc/isp-rabbitmq/tls/tls.crt',
    ])
      expect(conf?.split('\n')).to.include(line);
    expect(conf).to.not.contain('listeners.tcp');
    const volume = objects.template?.spec?.volumes?.find(({ name }) => name === 'tls');
    expect(volume?.secret).to.deep.include({ secretName: 'acme-rabbitmq-tls', defaultMode: 0o440 });
    expect(objects.server?.volumeMounts).to.deep.include({
      name: 'tls',
      mountPath: '/etc/isp-rabbitmq/tls',
      readOnly: true,
    });
    expect(objects.server?.readinessProbe?.tcpSocket?.port).to.equal('amqp');
    expect(portsOf(objects)).to.deep.equal([
      'amqp 5672',
      'management 15672',
      'amqps 5671',
      'management-tls 15671',
      'prometheus 15692',
    ]);
  });

  it('have pods that listen with it alone in the end', () => {
    const objects = objectsOf('tls');
    expect(objects.file).to.equal('rabbitmq-tls-only.conf');
    const conf = objects.config[objects.file];
    expect(conf?.split('\n')).to.include('listeners.tcp = none');
    expect(conf).to.not.contain('management.tcp');
    expect(objects.server?.readinessProbe?.tcpSocket?.port).to.equal('amqps');
    expect(portsOf(objects)).to.deep.equal(['amqps 5671', 'management-tls 15671', 'prometheus 15692']);
  });

  it('tell of each pod, and of the newest template, how it listens', () => {
    for (const listening of ['plain', 'both', 'tls'] as const) {
      const { set, template } = objectsOf(listening);
      expect(listeningOf(set.metadata)).to.equal(listening);
      expect(listeningOf(template?.metadata ?? {})).to.equal(listening);
    }
  });

  it('leave the pods that there are what they were started with, for their containers may restart at any time', () => {
    const plain = objectsOf();
    for (const listening of ['plain', 'both', 'tls'] as const) {
      const { config } = objectsOf(listening);
      expect(config['rabbitmq.conf']).to.equal(plain.config['rabbitmq.conf']);
      expect(config).to.include.keys('rabbitmq-tls.conf', 'rabbitmq-tls-only.conf');
    }
  });

  it('have the same template without TLS, whether others have it still or not', () => {
    expect(objectsOf('plain').set).to.deep.equal(objectsOf().set);
  });

  it('replace pods at each step, and have nodes that join find those with either port', () => {
    const hashes = [undefined, 'both', 'tls'] as const;
    const annotations = hashes.map((listening) => objectsOf(listening).template?.metadata?.annotations);
    expect(new Set(annotations.map((one) => one?.['isp.support/config-hash'])).size).to.equal(3);
    expect(objectsOf('tls').config['join.sh']).to.contain('if listens "$host" 5672 || listens "$host" 5671; then');
    expect(objectsOf().config['join.sh']).to.contain('if listens "$host" 5672; then');
  });
});
