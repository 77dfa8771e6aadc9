import { expect } from 'chai';
import type { KubeClient } from '../../../operator/kube/client.ts';
import {
  type ConfigMap,
  type Deployment,
  type Pod,
  resources,
  type Secret,
  type Service,
  type StatefulSet,
} from '../../../operator/kube/resources.ts';
import type { KubeObject } from '../../../operator/kube/types.ts';
import { readCertificate } from '../../../operator/platform/certificates/certificate.ts';
import type { Platform } from '../../../operator/platform/core/platform.ts';
import { newNamespace, useApiServer } from '../../support/apiserver/shared.ts';
import type { Controllers } from '../../support/controllers/index.ts';
import { eventually } from '../../support/eventually.ts';
import { platform, platformRef } from '../crd/platforms.ts';
import { type RunningOperator, startOperator } from './operator.ts';
import { PLAYED_SPEC, startPlayedCluster } from './played-cluster.ts';

const TIMEOUT_MS = 60_000;
const withTls = (enabled: boolean) => ({ rabbitmq: { ...PLAYED_SPEC.rabbitmq, tls: { enabled } } });

describe('a platform whose RabbitMQ serves with TLS', function () {
  this.timeout(180_000);
  const server = useApiServer();
  let client: KubeClient;
  let controllers: Controllers;
  let operator: RunningOperator;
  let namespace: string;

  before(async () => {
    ({ client, controllers, namespace } = await startPlayedCluster(server.current, 'rabbitmq-tls'));
    operator = startOperator(server.current, 'rabbitmq-tls', controllers.engines.components());
  });

  after(async () => {
    await operator.stop();
    await controllers.stop();
  });

  type Kind = (typeof resources)[keyof typeof resources];

  async function get<T extends KubeObject>(resource: Kind, name: string): Promise<T> {
    const object = await client.get<T>({ resource, namespace, name });
    if (object === undefined) throw new Error(`no ${name}`);
    return object;
  }

  async function text(secret: string, key: string): Promise<string> {
    const { data = {} } = await get<Secret>(resources.secrets, secret);
    return Buffer.from(data[key] ?? '', 'base64').toString();
  }

  const broker = async (): Promise<string> => await text('acme-app', 'CELERY_BROKER_URL');
  const set = async (): Promise<StatefulSet> => await get<StatefulSet>(resources.statefulSets, 'acme-rabbitmq');
  const ports = async (): Promise<string[]> => {
    const { spec } = await get<Service>(resources.services, 'acme-rabbitmq');
    return (spec?.ports ?? []).map(({ name = '' }) => name).toSorted((a, b) => (a < b ? -1 : 1));
  };
  const podTls = async (): Promise<string | undefined> =>
    (await get<Pod>(resources.pods, 'acme-rabbitmq-0')).metadata.annotations?.['isp.support/tls'];

  async function wish(enabled: boolean): Promise<void> {
    await client.patch(platformRef(namespace, 'acme'), { type: 'merge', body: { spec: withTls(enabled) } });
  }

  let plain: StatefulSet;
  let configuration: ConfigMap;

  it('begins without, and nothing of it is there', async () => {
    await client.create(platform(namespace, 'acme', PLAYED_SPEC));
    await eventually(async () => await get(resources.deployments, 'acme-api'), TIMEOUT_MS);
    plain = await set();
    configuration = await get<ConfigMap>(resources.configMaps, 'acme-rabbitmq');
    expect(await ports()).to.deep.equal(['amqp', 'management', 'prometheus']);
    expect(await broker()).to.match(/^amqp:.*:5672\/isp_support$/);
    expect(await client.get({ resource: resources.secrets, namespace, name: 'acme-ca' })).to.equal(undefined);
  });

  it('is changed over: nodes, then the address, and then nothing else is listened for', async () => {
    await wish(true);
    await eventually(async () => {
      expect(await broker()).to.match(/^amqps:.*:5671\/isp_support$/);
      expect(await text('acme-rabbitmq', 'uri')).to.equal(await broker());
    }, TIMEOUT_MS);
    expect(await text('acme-app', 'BROKER_CA_FILE')).to.equal('/etc/isp-support/ca/ca.crt');
    await eventually(async () => expect(await podTls()).to.equal('only'), TIMEOUT_MS);
    expect(await ports()).to.deep.equal(['amqps', 'management-tls', 'prometheus']);
    const api = (await get<Deployment>(resources.deployments, 'acme-api')).spec?.template;
    expect(api?.metadata?.annotations).to.include.keys('isp.support/broker-login', 'isp.support/newest-authority');
    expect(api?.spec?.volumes?.map(({ configMap }) => configMap?.name)).to.include('acme-ca');
    const leaf = readCertificate(await text('acme-rabbitmq-tls', 'tls.crt'));
    expect(leaf?.dnsNames).to.include(`acme-rabbitmq-0.acme-rabbitmq-nodes.${namespace}.svc`);
    await eventually(async () => {
      const { status } = await get<Platform>(resources.platforms, 'acme');
      expect(status?.certificates?.leaves.map(({ name }) => name)).to.deep.equal(['acme-rabbitmq-tls']);
      expect(status?.conditions?.find(({ type }) => type === 'RabbitMQReady')).to.include({ reason: 'Healthy' });
    }, 30_000);
  });

  it('is idle then', async () => await operator.idle(namespace));

  it('is what it was before when it is changed back, address first', async () => {
    await wish(false);
    await eventually(async () => expect(await broker()).to.match(/^amqp:/), TIMEOUT_MS);
    await eventually(async () => {
      expect(await podTls()).to.equal(undefined);
      expect((await set()).spec?.template).to.deep.equal(plain.spec?.template);
      expect((await set()).metadata.annotations ?? {}).to.deep.equal(plain.metadata.annotations ?? {});
      const { data } = await get<ConfigMap>(resources.configMaps, 'acme-rabbitmq');
      expect(Object.keys(data ?? {})).to.deep.equal(Object.keys(configuration.data ?? {}));
      expect(await text('acme-rabbitmq', 'uri')).to.equal(await broker());
    }, TIMEOUT_MS);
    expect(await ports()).to.deep.equal(['amqp', 'management', 'prometheus']);
  });

  it('is idle without, too', async () => await operator.idle(namespace));

  it('has nothing but TLS from the first pod of a new platform', async () => {
    namespace = await newNamespace(server.current, 'rabbitmq-tls-new');
    await client.create(platform(namespace, 'new', { ...PLAYED_SPEC, ...withTls(true) }));
    await eventually(async () => await get(resources.deployments, 'new-api'), TIMEOUT_MS);
    const { metadata, spec } = await get<StatefulSet>(resources.statefulSets, 'new-rabbitmq');
    expect(spec?.template.metadata?.annotations).to.include({ 'isp.support/tls': 'only' });
    expect(await text('new-app', 'CELERY_BROKER_URL')).to.match(/^amqps:/);
    expect(metadata.generation, 'made once').to.equal(1);
    const api = (await get<Deployment>(resources.deployments, 'new-api')).spec?.template;
    expect(api?.metadata?.annotations).to.not.have.property('isp.support/broker-login');
  });
});
