import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { type Deployment, resources, type Secret } from '../../../operator/kube/resources.ts';
import type { Platform } from '../../../operator/platform/core/platform.ts';
import { useApiServer } from '../../support/apiserver/shared.ts';
import type { Controllers } from '../../support/controllers/index.ts';
import { eventually } from '../../support/eventually.ts';
import { platform, platformRef } from '../crd/platforms.ts';
import { type RunningOperator, startOperator } from './operator.ts';
import { PLAYED_SPEC, startPlayedCluster } from './played-cluster.ts';

describe('a platform whose database password is rotated', function () {
  this.timeout(120_000);
  const server = useApiServer();
  let client: KubeClient;
  let controllers: Controllers;
  let operator: RunningOperator;
  let namespace: string;

  before(async () => {
    ({ client, controllers, namespace } = await startPlayedCluster(server.current, 'password'));
    operator = startOperator(server.current, 'password', controllers.engines.components());
    await client.create(platform(namespace, 'acme', PLAYED_SPEC));
    await eventually(async () => expect((await deployment())?.status?.readyReplicas).to.be.greaterThan(0), 60_000);
  });

  after(async () => {
    await operator.stop();
    await controllers.stop();
  });

  async function deployment(): Promise<Deployment | undefined> {
    return await client.get<Deployment>({ resource: resources.deployments, namespace, name: 'acme-api' });
  }

  async function text(name: string, key: string): Promise<string> {
    const secret = await client.get<Secret>({ resource: resources.secrets, namespace, name });
    return Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
  }

  async function request(value: string): Promise<void> {
    const body = { metadata: { annotations: { 'isp.support/rotate-postgres-password': value } } };
    await client.patch(platformRef(namespace, 'acme'), { type: 'merge', body });
    await eventually(async () => {
      const found = await client.get<Platform>(platformRef(namespace, 'acme'));
      expect(found?.status?.postgres?.passwordRotation).to.include({ request: value, phase: 'Done' });
    }, 30_000);
  }

  async function login(): Promise<{ username: string; password: string }> {
    return { username: await text('acme-postgres', 'username'), password: await text('acme-postgres', 'password') };
  }

  it('gets the other role and another password, and so do its pods, with each request once', async () => {
    const first = await login();
    expect((await deployment())?.spec?.template.metadata?.annotations).to.equal(undefined);
    await request('one');
    const second = await login();
    expect(second.username).to.equal('isp_support_alt');
    expect(second.password).to.have.length(32).and.not.equal(first.password);
    expect(await text('acme-app', 'DATABASE_URL')).to.equal(await text('acme-postgres', 'uri'));
    expect(await text('acme-app', 'DATABASE_URL')).to.contain(`isp_support_alt:${second.password}@`);
    await eventually(async () =>
      expect((await deployment())?.spec?.template.metadata?.annotations).to.have.key('isp.support/database-login'),
    );
    expect(await client.get({ resource: resources.secrets, namespace, name: 'acme-postgres-next' })).to.equal(
      undefined,
    );
    await request('two');
    expect((await login()).username).to.equal('isp_support');
    expect((await login()).password).to.not.equal(first.password);
  });

  it('is idle then, and an operator that starts anew does nothing again', async () => {
    const before = await login();
    await operator.stop();
    operator = startOperator(server.current, 'password-2', controllers.engines.components());
    await pause(4_000);
    const writes = operator.writes(namespace);
    await pause(2_000);
    expect(operator.writes(namespace)).to.deep.equal(writes);
    expect(await login()).to.deep.equal(before);
  });
});
