import { QUEUES } from '../../../api/tasks/topology.ts';
import { DefinitionsClient } from '../../../operator/platform/rabbitmq/definitions-client.ts';
import { POLICY, wantedPolicy } from '../../../operator/platform/rabbitmq/policy.ts';
import { installServers } from './packages.ts';
import { endAll, migrated } from './platform.ts';
import { postgres, rabbitmq, redis } from './servers.ts';

export const mochaHooks = {
  async beforeAll(this: Mocha.Context): Promise<void> {
    this.timeout(300_000);
    installServers();
    await Promise.all([postgres.create().then(() => migrated(postgres.url())), redis.create(), rabbitmq.create()]);
    await keepPolicy();
  },

  async afterAll(this: Mocha.Context): Promise<void> {
    this.timeout(60_000);
    await endAll();
    await Promise.all([postgres.destroy(), redis.destroy(), rabbitmq.destroy()]);
  },
};

/** As the operator does in a platform with these pools, those of Celery included. */
async function keepPolicy(): Promise<void> {
  const policy = wantedPolicy([{ queues: [...QUEUES, 'python_tasks', 'python-rpc', 'python-redis'] }], []);
  if (policy === undefined) throw new Error('there is no queue for the policy');
  const login = { url: rabbitmq.managementUrl, username: 'guest', password: 'guest', timeoutMs: 20_000 };
  await new DefinitionsClient(login).putPolicy('/', POLICY, policy);
}
