import { expect } from 'chai';
import { resources } from '../../operator/kube/resources.ts';
import { apply, children, getPlatform, healthy, platform } from './support/cluster.ts';

describe('a new platform', () => {
  it('becomes Ready from an empty spec, with Ready in its first status', async () => {
    const began = performance.now();
    await apply(platform());
    const first = await firstStatus();
    expect(first.conditions?.map(({ type }) => type)).to.include('Ready');
    const ready = await healthy(480_000);
    console.log(`      apply to Ready: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    expect(ready.status?.api?.ready).to.match(/^([1-9]\d*)\/\1$/);
    expect(ready.status?.postgres?.primary).to.match(/^acme-postgres-\d$/);
    expect(ready.status?.postgres?.members).to.have.length(3);
    expect(ready.status?.redis).to.include({
      mode: 'cluster',
      state: 'ok',
      masters: 3,
      replicas: 3,
      slotsAssigned: 16384,
    });
    expect(ready.status?.rabbitmq?.runningNodes).to.have.length(3);
    expect(ready.status?.workers?.map(({ name }) => name).sort()).to.deep.equal([
      'ai',
      'messages',
      'reports',
      'webhooks',
    ]);
  });

  it('has the objects, Secrets and keys that others rely on', async () => {
    const names = async (resource: (typeof resources)[keyof typeof resources]): Promise<string[]> =>
      (await children(resource)).map(({ metadata }) => metadata.name);
    expect(await names(resources.services)).to.include.members([
      'acme-api',
      'acme-postgres',
      'acme-postgres-primary',
      'acme-postgres-replicas',
      'acme-rabbitmq',
      'acme-redis',
    ]);
    expect(await names(resources.deployments)).to.include.members(['acme-api', 'acme-beat', 'acme-worker-ai']);
    expect(await names(resources.horizontalPodAutoscalers)).to.include('acme-api');
    expect(await names(resources.podDisruptionBudgets)).to.include('acme-api');
    const secrets = await children<{ data?: Record<string, string> } & Awaited<ReturnType<typeof children>>[number]>(
      resources.secrets,
    );
    const keys = (name: string): string[] =>
      Object.keys(secrets.find(({ metadata }) => metadata.name === name)?.data ?? {});
    expect(keys('acme-postgres')).to.include.members(['username', 'password', 'database', 'uri']);
    expect(keys('acme-redis')).to.include.members(['password', 'uri']);
    expect(keys('acme-rabbitmq')).to.include.members(['username', 'password', 'vhost', 'uri']);
    expect(keys('acme-app')).to.include.members([
      'DATABASE_URL',
      'REDIS_URL',
      'CELERY_BROKER_URL',
      'CELERY_RESULT_BACKEND',
      'SECRET_KEY',
      'ADMIN_TOKEN',
      'DEBUG',
    ]);
  });
});

async function firstStatus(): Promise<NonNullable<NonNullable<Awaited<ReturnType<typeof getPlatform>>>['status']>> {
  for (;;) {
    const status = (await getPlatform())?.status;
    if (status !== undefined) return status;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
