import { expect } from 'chai';
import { declareDeadLetters } from '../../../api/tasks/topology.ts';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import { OPERATOR_USER, USER, VHOST } from '../../../operator/platform/rabbitmq/names.ts';
import { POLICY } from '../../../operator/platform/rabbitmq/policy.ts';
import { installServers } from '../../api/support/packages.ts';
import { Client } from './client.ts';
import { Driver } from './driver.ts';
import { Ledger } from './ledger.ts';

describe('the definitions of a real RabbitMQ cluster that somebody changes while a client publishes', function () {
  this.timeout(300_000);
  const driver = new Driver(3);
  let ledger: Ledger;

  before(async () => {
    installServers();
    await driver.create();
    await driver.until('cluster that serves', isHealthy);
    const client = await Client.open({ host: driver.machine.addressOf(0) });
    await declareDeadLetters(client.channel);
    await client.close();
    await driver.until('policy', isHealthy);
    ledger = new Ledger({ host: driver.machine.addressOf(0) }, ['messages']);
    await ledger.start();
  });

  after(async () => {
    await ledger?.stop();
    await driver.destroy();
  });

  it('begin with a user of the operator’s own, who may not use AMQP', async () => {
    const names = (await driver.definitions().users()).map(({ name }) => name);
    expect(names).to.have.members([USER, OPERATOR_USER]);
    expect(await driver.definitions().permissions(VHOST, OPERATOR_USER)).to.equal(undefined);
  });

  const changes: readonly [what: string, command: readonly string[], note: RegExp][] = [
    ['the application’s user is deleted', ['delete_user', USER], /^user isp_support is (missing|refused): put right$/],
    ['its password is changed', ['change_password', USER, 'other'], /^user isp_support has another password/],
    ['its tags are taken away', ['set_user_tags', USER], /^user isp_support has other tags/],
    ['it gets other tags', ['set_user_tags', USER, 'monitoring'], /^user isp_support has other tags/],
    [
      'its permissions are narrowed',
      ['set_permissions', '-p', VHOST, USER, '', '.*', '.*'],
      /^user isp_support may not do everything/,
    ],
    ['its permissions are taken away', ['clear_permissions', '-p', VHOST, USER], /^user isp_support may not do/],
    ['the operator’s user is deleted', ['delete_user', OPERATOR_USER], /^user isp_support_operator is missing/],
    [
      'the operator’s password is changed',
      ['change_password', OPERATOR_USER, 'other'],
      /^user isp_support_operator has another password/,
    ],
    ['the policy is deleted', ['clear_policy', '-p', VHOST, POLICY], /^policy isp-dead-letters is missing/],
    [
      'the policy is changed',
      ['set_policy', '-p', VHOST, POLICY, '.*', '{"delivery-limit":1}'],
      /^policy isp-dead-letters is another/,
    ],
  ];
  for (const [what, command, note] of changes)
    it(`are put right when ${what}, and no confirmed message is lost`, async () => {
      driver.notes.length = 0;
      await driver.ctl(0, ...command);
      const changed = (plan: ComponentPlan) => plan.condition.reason === 'DefinitionsChanged' || isVhostMissing(plan);
      await driver.until('change', changed, 60);
      await driver.until('repair', isHealthy, 60);
      expect(driver.notes.join('\n')).to.match(new RegExp(note.source, 'm'));
      await ledger.more(5);
      expect(await ledger.lost()).to.deep.equal([]);
    });

  it('leave users, policies and permissions of others as they are', async () => {
    await driver.ctl(0, 'add_user', 'guest_of_ours', 'secret');
    await driver.ctl(0, 'set_policy', '-p', VHOST, 'theirs', '^messages$', '{"max-length":1000000}');
    await driver.ctl(0, 'delete_user', OPERATOR_USER);
    await driver.until('change', (plan) => plan.condition.reason === 'DefinitionsChanged', 60);
    await driver.until('repair', isHealthy, 60);
    expect((await driver.definitions().users()).map(({ name }) => name)).to.include('guest_of_ours');
    expect((await driver.definitions().policy(VHOST, 'theirs'))?.definition).to.deep.equal({ 'max-length': 1_000_000 });
    const gap = Math.round(ledger.largestGapMs);
    console.log(
      `      ${ledger.count} messages confirmed, ${ledger.reconnects} logins anew, none lost; largest gap ${gap} ms`,
    );
  });

  it('come back with the pod that the condition names when both users are gone', async () => {
    // Two commands at once: the operator would mend the first before the second.
    await driver.ctl(0, 'eval', deletion([USER, OPERATOR_USER]));
    const { condition } = await driver.until('lockout', (plan) => plan.condition.reason === 'LockedOut', 60);
    expect(condition.message).to.include('delete pod acme-rabbitmq-2');
    await driver.nodes[2]?.stop();
    driver.nodes[2]?.start('plain');
    await driver.until('repair', isHealthy, 120);
    expect((await driver.definitions().users()).map(({ name }) => name)).to.include.members([USER, OPERATOR_USER]);
    await ledger.more(5);
    expect(await ledger.lost()).to.deep.equal([]);
  });
});

/** In Erlang. */
function deletion(users: readonly string[]): string {
  const calls = users.map((user) => `rabbit_auth_backend_internal:delete_user(<<"${user}">>, <<"test">>)`);
  return `${calls.join(', ')}.`;
}

function isHealthy({ condition }: ComponentPlan): boolean {
  return condition.reason === 'Healthy';
}

function isVhostMissing({ condition }: ComponentPlan): boolean {
  return condition.reason === 'VhostMissing';
}
