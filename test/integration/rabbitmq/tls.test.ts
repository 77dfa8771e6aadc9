import { execFile } from 'node:child_process';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import { expect } from 'chai';
import { openLog } from '../../../api/log.ts';
import { Broker } from '../../../api/tasks/broker.ts';
import { issueAuthority } from '../../../operator/platform/certificates/issue.ts';
import { presentedOn } from '../../../operator/platform/certificates/presented.ts';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import type { NodeAddress } from '../../../operator/platform/rabbitmq/address.ts';
import { AmqpCheck } from '../../../operator/platform/rabbitmq/amqp-check.ts';
import { AMQP_PORT, MANAGEMENT_PORT, OPERATOR_USER, USER, VHOST } from '../../../operator/platform/rabbitmq/names.ts';
import { AMQPS_PORT, type Listening, MANAGEMENT_TLS_PORT } from '../../../operator/platform/rabbitmq/tls/names.ts';
import { plainClientsProbe } from '../../../operator/platform/rabbitmq/tls/plain-clients.ts';
import { tlsProbe } from '../../../operator/platform/rabbitmq/tls/reading.ts';
import { installCelery } from '../../api/support/celery.ts';
import { installServers } from '../../api/support/packages.ts';
import { eventually } from '../../support/eventually.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { Client } from './client.ts';
import { Driver, PASSWORD } from './driver.ts';
import { Ledger } from './ledger.ts';
import { hostOf } from './machine.ts';

const execute = promisify(execFile);
const login = { username: USER, password: PASSWORD, vhost: VHOST };

describe('a cluster of real RabbitMQ nodes to which TLS is given', function () {
  this.timeout(400_000);
  const driver = new Driver(3);
  const { certificates } = driver.machine;
  let plain: Client;
  let proxy: TcpProxy;
  /** As the application is told it: the name is in the certificate, and leads to the first node. */
  let url: string;

  before(async () => {
    installServers();
    await driver.create();
    await driver.until('cluster that serves', isHealthy);
    proxy = new TcpProxy(AMQPS_PORT, driver.machine.addressOf(0));
    url = `amqps://${USER}:${PASSWORD}@localhost:${await proxy.listen()}/${VHOST}`;
  });

  after(async () => {
    await proxy?.close();
    await driver.destroy();
  });

  const node = (ordinal: number): NodeAddress => {
    const found = driver.nodes[ordinal];
    if (found === undefined) throw new Error(`there is no node ${ordinal}`);
    return driver.addressOf(found);
  };

  async function listening(how: Listening): Promise<void> {
    driver.listen(how);
    await driver.until(`nodes that listen ${how}`, (plan) => isHealthy(plan) && isEverywhere(how), 300);
  }

  const isEverywhere = (how: Listening): boolean =>
    driver.nodes.length === 3 && driver.nodes.every((one) => one.listening === how);

  async function shown(port: number): Promise<string> {
    const socket = connectSocket({ host: node(0).host, port });
    try {
      return await presentedOn(socket, AbortSignal.timeout(5_000));
    } finally {
      socket.destroy();
    }
  }

  const refusal = async (port: number): Promise<string> =>
    await new Promise((resolve) => {
      const socket = connectSocket({ host: node(0).host, port }, () => resolve('none'));
      socket.on('error', ({ message }) => resolve(message));
      socket.unref();
    });

  it('has every node serve with and without, one after the other', async () => {
    await listening('both');
    plain = await Client.open({ host: node(0).host });
    const secured = await Client.open(node(0));
    await secured.channel.assertQueue('mail', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    plain.channel.sendToQueue('mail', Buffer.from('from without'));
    const message = await secured.take('mail');
    expect(message.content.toString()).to.equal('from without');
    secured.channel.ack(message);
    await secured.close();
  });

  it('tells who is still connected without TLS', async () => {
    const probe = plainClientsProbe([node(1), node(0)], login);
    const asked = async () => (await probe.run(AbortSignal.timeout(10_000))).names;
    await eventually(async () => expect(await asked()).to.deep.equal([USER]), 15_000);
    await plain.close();
    await eventually(async () => expect(await asked()).to.deep.equal([]), 15_000);
  });

  it('is believed only in the name of a node, and under the authority that signed', async () => {
    const { host, trust } = node(0);
    const stranger = (await issueAuthority('stranger', new Date())).certificate.pem;
    const servername = trust?.servername ?? '';
    for (const wrong of [
      { ca: stranger, servername },
      { ca: certificates.bundle, servername: 'acme-rabbitmq.other.svc' },
    ]) {
      const asked = Client.open({ host, trust: wrong }).catch((error: Error) => error);
      expect(await asked).to.be.an('error');
      const operators = new AmqpCheck({ host, trust: wrong, ...login }, 5_000);
      expect((await operators.problem(AbortSignal.timeout(5_000)))?.message).to.match(/^shows a certificate /);
      operators.close();
    }
  });

  it('shows a new certificate at once at both of its ports, and ends no connection for it', async () => {
    const client = await Client.open(node(0));
    const before = certificates.leaf;
    expect(await shown(AMQPS_PORT)).to.equal(before);
    await certificates.issue();
    expect(certificates.leaf).to.not.equal(before);
    expect(await shown(AMQPS_PORT)).to.equal(certificates.leaf);
    expect(await shown(MANAGEMENT_TLS_PORT)).to.equal(certificates.leaf);
    const reading = await tlsProbe({ pod: 'a', uid: 'u', host: node(0).host }).run(AbortSignal.timeout(5_000));
    expect(reading).to.deep.equal({ uid: 'u', host: node(0).host, presented: certificates.leaf });
    await client.channel.checkQueue('mail');
    await client.close();
  });

  it('serves the application’s client, which verifies it at each connection with what the file has then', async () => {
    const broker = new Broker({
      url,
      caFile: certificates.bundleFile,
      name: 'app',
      log: openLog('test', 'error'),
      onSession: async () => undefined,
    });
    broker.start();
    const publish = async (text: string) => await broker.publish('', 'mail', Buffer.from(text), {});
    try {
      await eventually(async () => await publish('one'), 10_000);
      const [last] = certificates.authorities;
      const next = await issueAuthority('next', new Date());
      if (last === undefined) throw new Error('there is no authority');
      await certificates.trust(next, last);
      await certificates.issue();
      await certificates.trust(next);
      proxy.cut();
      await eventually(async () => await publish('two'), 15_000);
    } finally {
      await broker.close();
    }
  });

  it('serves Celery, as its application is told to verify it, and is not believed by one that is not told', async () => {
    const python = join(installCelery(), 'python');
    const program = `
import os, ssl, sys
from celery import Celery
app = Celery('own', broker=os.environ['CELERY_BROKER_URL'])
if 'verified' in sys.argv:
    app.conf.broker_use_ssl = {'ca_certs': os.environ['BROKER_CA_FILE'], 'cert_reqs': ssl.CERT_REQUIRED, 'server_hostname': None}
with app.connection_for_write() as connection:
    connection.ensure_connection(max_retries=1)
    print('connected')
`;
    const run = async (host: string, ...args: string[]) => {
      const broker = `amqps://${USER}:${PASSWORD}@${host}:${AMQPS_PORT}/${VHOST}`;
      const env = { PATH: process.env['PATH'], CELERY_BROKER_URL: broker, BROKER_CA_FILE: certificates.bundleFile };
      const inPod = driver.machine.inPod(python, ['-c', program, ...args], true);
      return await execute(inPod.command, inPod.args, { env, timeout: 30_000 });
    };
    expect((await run(hostOf(0), 'verified')).stdout).to.equal('connected\n');
    const refusedBy = async (...asked: Parameters<typeof run>) =>
      await run(...asked).then(
        () => 'nobody',
        (error: Error) => error.message,
      );
    expect(await refusedBy(hostOf(0)), 'without a word').to.contain('CERTIFICATE_VERIFY_FAILED');
    expect(await refusedBy(node(0).host, 'verified'), 'another name').to.contain('CERTIFICATE_VERIFY_FAILED');
  });

  it('is asked and put right by the operator with TLS', async () => {
    driver.notes.length = 0;
    await driver.ctl(0, 'delete_user', OPERATOR_USER);
    await driver.until('user that is put right', (plan) => isHealthy(plan) && driver.notes.length > 0);
    expect(driver.notes).to.deep.equal([`user ${OPERATOR_USER} is missing: put right`]);
    expect((await driver.definitions().users()).map(({ name }) => name)).to.include(OPERATOR_USER);
  });

  it('loses no message when its nodes stop listening for anything else, and lets nobody in without', async () => {
    const ledger = new Ledger(node(0), ['tasks']);
    await ledger.start();
    try {
      await ledger.more(10);
      await listening('tls');
      await ledger.more(10);
      expect(await ledger.lost()).to.deep.equal([]);
    } finally {
      await ledger.stop();
    }
    for (const port of [AMQP_PORT, MANAGEMENT_PORT]) expect(await refusal(port)).to.contain('ECONNREFUSED');
    const without = await connect({ hostname: node(0).host, ...login }).catch((error: Error) => error);
    expect(without).to.be.an('error');
  });
});

describe('a new RabbitMQ that has TLS from its first start', function () {
  this.timeout(300_000);
  const driver = new Driver(1);

  before(async () => {
    installServers();
    await driver.create();
    driver.listen('tls');
    await driver.until('single node', isHealthy);
  });

  after(async () => await driver.destroy());

  it('takes nodes in, which find those that serve with TLS alone', async () => {
    driver.scale(3);
    await driver.until('three nodes', (plan) => isHealthy(plan) && plan.status?.rabbitmq?.runningNodes?.length === 3);
    expect(driver.nodes.map(({ listening }) => listening)).to.deep.equal(['tls', 'tls', 'tls']);
    expect((await driver.management(2).nodes()).filter(({ running }) => running)).to.have.length(3);
  });
});

function isHealthy({ condition }: ComponentPlan): boolean {
  return condition.reason === 'Healthy' && condition.progressing !== true;
}
