import { installServers } from './packages.ts';
import { endAll, migrated } from './platform.ts';
import { postgres, rabbitmq, redis } from './servers.ts';

export const mochaHooks = {
  async beforeAll(this: Mocha.Context): Promise<void> {
    this.timeout(300_000);
    installServers();
    await Promise.all([postgres.create().then(() => migrated(postgres.url())), redis.create(), rabbitmq.create()]);
  },

  async afterAll(this: Mocha.Context): Promise<void> {
    this.timeout(60_000);
    await endAll();
    await Promise.all([postgres.destroy(), redis.destroy(), rabbitmq.destroy()]);
  },
};
