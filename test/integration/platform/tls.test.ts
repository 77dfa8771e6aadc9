import { expect } from 'chai';
import type { KubeClient } from '../../../operator/kube/client.ts';
import {
  type ConfigMap,
  type Deployment,
  resources,
  type Secret,
  type StatefulSet,
} from '../../../operator/kube/resources.ts';
import type { KubeObject } from '../../../operator/kube/types.ts';
import { isSignedBy, readBundle, readCertificate } from '../../../operator/platform/certificates/certificate.ts';
import type { Platform } from '../../../operator/platform/core/platform.ts';
import { useApiServer } from '../../support/apiserver/shared.ts';
import type { Controllers } from '../../support/controllers/index.ts';
import { eventually } from '../../support/eventually.ts';
import { platform, platformRef } from '../crd/platforms.ts';
import { type RunningOperator, startOperator } from './operator.ts';
import { PLAYED_SPEC, startPlayedCluster } from './played-cluster.ts';

const WITH_TLS = { ...PLAYED_SPEC, postgres: { ...PLAYED_SPEC.postgres, tls: { enabled: true } } };

describe('a platform whose Postgres serves with TLS', function () {
  this.timeout(120_000);
  const server = useApiServer();
  let client: KubeClient;
  let controllers: Controllers;
  let operator: RunningOperator;
  let namespace: string;

  before(async () => {
    ({ client, controllers, namespace } = await startPlayedCluster(server.current, 'tls'));
    operator = startOperator(server.current, 'tls', controllers.engines.components());
  });

  after(async () => {
    await operator.stop();
    await controllers.stop();
  });

  async function get<T extends KubeObject>(
    resource: (typeof resources)[keyof typeof resources],
    name: string,
  ): Promise<T> {
    const object = await client.get<T>({ resource, namespace, name });
    if (object === undefined) throw new Error(`no ${name}`);
    return object;
  }

  async function text(secret: string, key: string): Promise<string> {
    const { data = {} } = await get<Secret>(resources.secrets, secret);
    return Buffer.from(data[key] ?? '', 'base64').toString();
  }

  async function rules(): Promise<string> {
    const config = await get<ConfigMap>(resources.configMaps, 'acme-postgres-config');
    return config.metadata.annotations?.['config'] ?? '';
  }

  it('begins without, and nothing of it is there', async () => {
    await client.create(platform(namespace, 'acme', PLAYED_SPEC));
    await eventually(async () => await get(resources.deployments, 'acme-api'), 60_000);
    expect(await client.get({ resource: resources.secrets, namespace, name: 'acme-ca' })).to.equal(undefined);
    const set = await get<StatefulSet>(resources.statefulSets, 'acme-postgres');
    expect(set.spec?.template.metadata?.annotations).to.equal(undefined);
  });

  it('gets an authority, a certificate and the bundle, and then members and an application that use them', async () => {
    await client.patch(platformRef(namespace, 'acme'), { type: 'merge', body: { spec: WITH_TLS } });
    await eventually(async () => {
      expect(await text('acme-app', 'DATABASE_URL')).to.contain(
        '?sslmode=verify-full&sslrootcert=/etc/isp-support/ca/ca.crt',
      );
    }, 60_000);
    const bundle = readBundle((await get<ConfigMap>(resources.configMaps, 'acme-ca')).data?.['ca.crt'] ?? '');
    const leaf = readCertificate(await text('acme-postgres-tls', 'tls.crt'));
    const [authority] = bundle;
    if (leaf === undefined || authority === undefined) throw new Error('nothing was issued');
    expect(isSignedBy(leaf, authority)).to.equal(true);
    expect(leaf.dnsNames).to.include(`acme-postgres-primary.${namespace}.svc`);
    expect((await get<Secret>(resources.secrets, 'acme-ca')).metadata.ownerReferences).to.have.length(1);
  });

  it('demands TLS when the application has it', async () => {
    await eventually(async () => expect(await rules()).to.contain('hostssl all all all'), 60_000);
    const api = (await get<Deployment>(resources.deployments, 'acme-api')).spec?.template;
    expect(api?.metadata?.annotations).to.have.keys('isp.support/database-login', 'isp.support/newest-authority');
    expect(api?.spec?.volumes?.map(({ configMap }) => configMap?.name)).to.include('acme-ca');
    await eventually(async () => {
      const { status } = await get<Platform>(resources.platforms, 'acme');
      expect(status?.certificates?.leaves.map(({ name }) => name)).to.deep.equal(['acme-postgres-tls']);
    });
  });

  it('is idle then', async () => await operator.idle(namespace));

  it('puts a pooler in that has TLS from its first pod, and leads the application to it', async () => {
    const spec = { postgres: { pooler: { enabled: true } } };
    await client.patch(platformRef(namespace, 'acme'), { type: 'merge', body: { spec } });
    await eventually(async () => {
      const url = new URL(await text('acme-app', 'DATABASE_URL'));
      expect(url.hostname).to.equal(`acme-postgres-pooler.${namespace}.svc`);
      expect(url.searchParams.get('sslmode')).to.equal('verify-full');
    }, 60_000);
    const leaf = readCertificate(await text('acme-postgres-pooler-tls', 'tls.crt'));
    expect(leaf?.dnsNames).to.include.members(['acme-postgres-pooler', `acme-postgres-pooler-ro.${namespace}.svc`]);
    for (const name of ['acme-postgres-pooler', 'acme-postgres-pooler-ro']) {
      const { metadata, spec: made } = await get<Deployment>(resources.deployments, name);
      expect(made?.template.metadata?.annotations).to.include({ 'isp.support/tls': 'on' });
      expect(metadata.generation, 'made once').to.equal(1);
    }
    await eventually(async () => {
      const { data = {} } = await get<ConfigMap>(resources.configMaps, 'acme-postgres-pooler');
      expect(data['writes-tls.ini']).to.contain('client_tls_sslmode = require');
    });
    expect(await rules()).to.contain('hostssl all all all');
  });

  it('is idle with it, too', async () => await operator.idle(namespace));

  it('begins to replace the authority when it is asked to, once', async () => {
    const body = { metadata: { annotations: { 'isp.support/rotate-ca': 'today' } } };
    await client.patch(platformRef(namespace, 'acme'), { type: 'merge', body });
    await eventually(async () => {
      const { status } = await get<Platform>(resources.platforms, 'acme');
      expect(status?.certificates?.rotation).to.include({ phase: 'Trusting', request: 'today' });
      expect(status?.certificates?.trusted).to.have.length(2);
    }, 30_000);
    const bundle = await get<ConfigMap>(resources.configMaps, 'acme-ca');
    expect(readBundle(bundle.data?.['ca.crt'] ?? '')).to.have.length(2);
  });

  it('lets connections without TLS in again before it is turned off, and then changes the address back', async () => {
    await client.patch(platformRef(namespace, 'acme'), {
      type: 'merge',
      body: { spec: { postgres: { tls: { enabled: false } } } },
    });
    await eventually(async () => expect(await text('acme-app', 'DATABASE_URL')).to.not.contain('sslmode'), 30_000);
    expect(await rules()).to.not.contain('hostssl');
    await eventually(async () => {
      const { spec } = await get<Deployment>(resources.deployments, 'acme-postgres-pooler');
      expect(spec?.template.metadata?.annotations).to.have.keys('isp.support/config-hash');
      const { data = {} } = await get<ConfigMap>(resources.configMaps, 'acme-postgres-pooler');
      expect(data).to.have.keys('writes.ini', 'reads.ini');
    }, 30_000);
    await eventually(async () => {
      const set = await get<StatefulSet>(resources.statefulSets, 'acme-postgres');
      expect(set.spec?.template.metadata?.annotations ?? {}).to.deep.equal({});
      expect(set.spec?.template.spec?.volumes?.some(({ name }) => name === 'tls')).to.equal(false);
    }, 30_000);
  });

  it('is turned on under a pooler, whose clients may do without it until the end', async () => {
    const settings = async (): Promise<Record<string, string>> =>
      (await get<ConfigMap>(resources.configMaps, 'acme-postgres-pooler')).data ?? {};
    const body = { spec: { postgres: { tls: { enabled: true } } } };
    await client.patch(platformRef(namespace, 'acme'), { type: 'merge', body });
    await eventually(async () => {
      expect((await settings())['writes-tls.ini']).to.contain('client_tls_sslmode = prefer');
    }, 60_000);
    await eventually(async () => {
      const url = new URL(await text('acme-app', 'DATABASE_URL'));
      expect(url.hostname).to.contain('-pooler');
      expect(url.searchParams.get('sslmode')).to.equal('verify-full');
    }, 60_000);
    await eventually(async () => {
      expect((await settings())['writes-tls.ini']).to.contain('client_tls_sslmode = require');
    }, 60_000);
    await eventually(async () => expect(await rules()).to.contain('hostssl all all all'));
  });
});
