import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { type Deployment, resources, type Secret, type StatefulSet } from '../../../operator/kube/resources.ts';
import type { Component } from '../../../operator/platform/core/component.ts';
import type { PasswordRotationStatus, Platform } from '../../../operator/platform/core/platform.ts';
import { useApiServer } from '../../support/apiserver/shared.ts';
import type { Controllers } from '../../support/controllers/index.ts';
import { eventually } from '../../support/eventually.ts';
import { platform, platformRef } from '../crd/platforms.ts';
import { type RunningOperator, startOperator } from './operator.ts';
import { PLAYED_SPEC, startPlayedCluster } from './played-cluster.ts';

const TIMEOUT_MS = 30_000;

interface Definitions {
  readonly users: readonly { readonly name: string }[];
  readonly permissions: readonly { readonly user: string }[];
}

describe('a platform whose password of RabbitMQ is rotated', function () {
  this.timeout(120_000);
  const server = useApiServer();
  let client: KubeClient;
  let controllers: Controllers;
  let operator: RunningOperator;
  let namespace: string;
  /** How far the operator's time of day is ahead. */
  let aheadMs = 0;

  before(async () => {
    ({ client, controllers, namespace } = await startPlayedCluster(server.current, 'rabbitmq-password'));
    operator = startOperator(server.current, 'rabbitmq-password', controllers.engines.components().map(ahead));
    await client.create(platform(namespace, 'acme', PLAYED_SPEC));
    await eventually(async () => expect((await deployment())?.status?.readyReplicas).to.be.greaterThan(0), 60_000);
  });

  after(async () => {
    await operator.stop();
    await controllers.stop();
  });

  function ahead(component: Component): Component {
    const plan: Component['plan'] = (scope, blockedBy) =>
      component.plan({ ...scope, now: new Date(scope.now.getTime() + aheadMs) }, blockedBy);
    return { ...component, plan };
  }

  async function deployment(): Promise<Deployment | undefined> {
    return await client.get<Deployment>({ resource: resources.deployments, namespace, name: 'acme-api' });
  }

  async function nodes(): Promise<StatefulSet | undefined> {
    return await client.get<StatefulSet>({ resource: resources.statefulSets, namespace, name: 'acme-rabbitmq' });
  }

  async function secret(name: string): Promise<Secret | undefined> {
    return await client.get<Secret>({ resource: resources.secrets, namespace, name });
  }

  async function text(name: string, key: string): Promise<string> {
    return Buffer.from((await secret(name))?.data?.[key] ?? '', 'base64').toString();
  }

  async function login(): Promise<{ username: string; password: string }> {
    return { username: await text('acme-rabbitmq', 'username'), password: await text('acme-rabbitmq', 'password') };
  }

  /** Who nodes that start make, and let into the vhost. */
  async function imported(): Promise<[string[], string[]]> {
    const { users, permissions } = JSON.parse(await text('acme-rabbitmq', 'definitions.json')) as Definitions;
    return [users.map(({ name }) => name).toSorted(), permissions.map(({ user }) => user).toSorted()];
  }

  async function rotation(): Promise<PasswordRotationStatus | undefined> {
    return (await client.get<Platform>(platformRef(namespace, 'acme')))?.status?.rabbitmq?.passwordRotation;
  }

  async function annotate(annotations: Record<string, string>): Promise<void> {
    await client.patch(platformRef(namespace, 'acme'), { type: 'merge', body: { metadata: { annotations } } });
  }

  /** Lets the time of day go on by more than each step lasts. */
  async function pass(): Promise<void> {
    aheadMs += 130_000;
    await annotate({ touched: String(aheadMs) });
  }

  async function request(value: string): Promise<void> {
    await annotate({ 'isp.support/rotate-rabbitmq-password': value });
    await waiting('volumes');
    await pass();
    await eventually(async () => expect((await rotation())?.phase).to.equal('Retiring'), TIMEOUT_MS);
    await waiting('volumes');
    await pass();
    await eventually(async () => expect(await rotation()).to.include({ request: value, phase: 'Done' }), TIMEOUT_MS);
  }

  async function waiting(what: string): Promise<void> {
    await eventually(async () => expect((await rotation())?.message).to.contain(what), TIMEOUT_MS);
  }

  it('has both logins imported by nodes that start, before anybody is told of the next', async () => {
    const first = await login();
    expect(first.username).to.equal('isp_support');
    expect((await deployment())?.spec?.template.metadata?.annotations).to.equal(undefined);
    const set = await nodes();
    await annotate({ 'isp.support/rotate-rabbitmq-password': 'one' });
    await waiting('volumes');
    expect(await login()).to.deep.equal(first);
    const both = ['isp_support', 'isp_support_alt'];
    expect(await imported()).to.deep.equal([both, both]);
    await pass();
    await eventually(async () => expect((await login()).username).to.equal('isp_support_alt'), TIMEOUT_MS);
    expect(await imported(), 'while the last one is valid').to.deep.equal([both, both]);
    expect((await login()).password)
      .to.have.length(32)
      .and.not.equal(first.password);
    expect((await nodes())?.spec, 'no node is restarted').to.deep.equal(set?.spec);
  });

  it('gives it to the application’s pods, and revokes the last one when none of them has it', async () => {
    await eventually(async () => expect(await text('acme-app', 'CELERY_BROKER_URL')).to.contain('isp_support_alt:'));
    expect(await text('acme-app', 'CELERY_BROKER_URL')).to.equal(await text('acme-rabbitmq', 'uri'));
    await waiting('volumes');
    await pass();
    await eventually(
      async () =>
        expect(await rotation()).to.deep.equal({ request: 'one', phase: 'Done', username: 'isp_support_alt' }),
      TIMEOUT_MS,
    );
    expect((await deployment())?.spec?.template.metadata?.annotations).to.deep.equal({
      'isp.support/broker-login': '1',
    });
    expect(await imported()).to.deep.equal([['isp_support_alt'], ['isp_support_alt']]);
    expect((await secret('acme-rabbitmq'))?.metadata.annotations).to.deep.equal({
      'isp.support/retired-for': 'one',
      'isp.support/rotated-for': 'one',
    });
    expect(await text('acme-rabbitmq', 'erlang-cookie')).to.have.length(40);
    await eventually(async () => expect(await secret('acme-rabbitmq-next')).to.equal(undefined));
  });

  it('takes turns with each request, once', async () => {
    const before = await login();
    await request('two');
    expect((await login()).username).to.equal('isp_support');
    expect((await login()).password).to.not.equal(before.password);
    expect(await imported()).to.deep.equal([['isp_support'], ['isp_support']]);
  });

  it('is idle then, and an operator that starts anew does nothing again', async () => {
    const before = await login();
    await operator.stop();
    operator = startOperator(server.current, 'rabbitmq-password-2', controllers.engines.components().map(ahead));
    await pause(4_000);
    const writes = operator.writes(namespace);
    await pause(2_000);
    expect(operator.writes(namespace)).to.deep.equal(writes);
    expect(await login()).to.deep.equal(before);
  });
});
