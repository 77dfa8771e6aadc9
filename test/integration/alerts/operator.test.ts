import { expect } from 'chai';
import type { KubeClient } from '../../../operator/kube/client.ts';
import type { Component } from '../../../operator/platform/core/component.ts';
import type { FailoverStatus, Platform } from '../../../operator/platform/core/platform.ts';
import { newNamespace, useApiServer } from '../../support/apiserver/shared.ts';
import { eventually } from '../../support/eventually.ts';
import { establishDefinition, platform, platformRef } from '../crd/platforms.ts';
import { type RunningOperator, startOperator } from '../platform/operator.ts';
import { Alertmanager } from './alertmanager.ts';

const noticed = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString();
const lost: FailoverStatus = {
  component: 'postgres',
  from: 'acme-postgres-0',
  reason: 'PrimaryTimeout',
  detectedAt: noticed,
  outcome: 'InProgress',
};

describe('an operator with an Alertmanager', function () {
  this.timeout(60_000);
  const server = useApiServer();
  const alertmanager = new Alertmanager();
  let client: KubeClient;
  let operator: RunningOperator | undefined;
  let namespace: string;
  let failover: FailoverStatus | undefined;

  /** Fails over when the test says so. */
  const component: Component = {
    name: 'postgres',
    dependsOn: [],
    probes: () => [],
    plan: () => ({
      objects: [],
      condition: { type: 'PostgresReady', status: 'True', reason: 'Healthy', message: 'played' },
      ...(failover === undefined ? {} : { status: { lastFailover: failover } }),
      requeueAfterMs: 50,
    }),
  };
  const start = (): void => {
    operator = startOperator(server.current, 'alerts', [component]);
  };
  const status = async () => (await client.get<Platform>(platformRef(namespace, 'acme')))?.status;
  const alerting = async () => (await status())?.conditions?.find(({ type }) => type === 'AlertingReady');

  before(async () => {
    client = server.current.client;
    await establishDefinition(client, AbortSignal.timeout(20_000));
    namespace = await newNamespace(server.current, 'alerts');
    alertmanager.token = 'of-the-night';
    await alertmanager.start();
    await client.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name: 'pager' },
      data: { token: Buffer.from('of-the-night\n').toString('base64') },
    } as never);
    start();
    const settings = { url: alertmanager.url, tokenSecret: { name: 'pager' } };
    await client.create(platform(namespace, 'acme', { alerts: { alertmanager: settings } }));
  });

  after(async () => {
    await operator?.stop();
    await alertmanager.stop();
  });

  it('shows that alerts would be taken, before there is any', async () => {
    await eventually(async () => expect(await alerting()).to.include({ status: 'True', reason: 'Delivering' }));
    expect((await status())?.alerts).to.equal(undefined);
  });

  it('delivers a failover that nobody could be told of, though another operator carries on', async () => {
    await alertmanager.stop();
    failover = lost;
    await eventually(async () => expect((await status())?.alerts).to.have.length(1));
    failover = { ...lost, to: 'acme-postgres-1', outcome: 'Succeeded', step: 'Redundant', rtoSeconds: 2 };
    await eventually(async () => expect((await status())?.lastFailover?.step).to.equal('Redundant'));
    await eventually(async () => expect(await alerting()).to.include({ status: 'False', reason: 'NotDelivering' }));
    await operator?.stop();
    start();
    await alertmanager.start();
    await eventually(() => expect(alertmanager.alerts).to.have.length(1), 30_000);
    const [alert] = alertmanager.alerts;
    expect(alert?.labels).to.include({ alertname: 'IspFailover', namespace, platform: 'acme', failover: noticed });
    expect(alert?.startsAt.toISOString()).to.equal(noticed);
    expect(alert?.endsAt.getTime()).to.be.greaterThan(Date.now());
    await eventually(async () => expect((await status())?.alerts?.[0]?.acceptedAt).to.be.a('string'));
    await eventually(async () => expect(await alerting()).to.include({ status: 'True' }));
  });

  it('forgets them when no Alertmanager is wanted any more', async () => {
    await client.patch(platformRef(namespace, 'acme'), { type: 'merge', body: { spec: { alerts: null } } });
    await eventually(async () => {
      expect((await status())?.alerts).to.equal(undefined);
      expect(await alerting()).to.equal(undefined);
    });
  });
});
