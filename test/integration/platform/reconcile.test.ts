import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { type Deployment, resources, type Secret, type Service } from '../../../operator/kube/resources.ts';
import type { KubeObject, ObjectRef, Resource } from '../../../operator/kube/types.ts';
import { FINALIZER, labels } from '../../../operator/platform/core/names.ts';
import type { Platform } from '../../../operator/platform/core/platform.ts';
import { newNamespace, useApiServer } from '../../support/apiserver/shared.ts';
import { establishDefinition, platform, platformRef } from '../crd/platforms.ts';
import { type RunningOperator, startOperator } from './operator.ts';

const TIMEOUT_MS = 20_000;

/** Asks until the answer is something; fails with what it waited for. */
async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + TIMEOUT_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${TIMEOUT_MS} ms`);
    await pause(50);
  }
}

function condition(found: Platform | undefined, type: string) {
  return found?.status?.conditions?.find((one) => one.type === type);
}

describe('the operator on a real API server', function () {
  this.timeout(60_000);
  const server = useApiServer();
  let client: KubeClient;
  let operator: RunningOperator;
  let namespace: string;

  before(async () => {
    client = server.current.client;
    await establishDefinition(client, AbortSignal.timeout(TIMEOUT_MS));
    operator = startOperator(server.current);
  });

  after(async () => await operator.stop());

  beforeEach(async () => {
    namespace = await newNamespace(server.current, 'platform');
  });

  const ref = (resource: Resource, name: string): ObjectRef => ({ resource, namespace, name });
  const get = async <T extends KubeObject>(resource: Resource, name: string): Promise<T | undefined> =>
    await client.get<T>(ref(resource, name));
  const create = async (spec: unknown = {}, annotations: Record<string, string> = {}): Promise<void> => {
    const object = platform(namespace, 'acme', spec);
    await client.create({ ...object, metadata: { ...object.metadata, annotations } });
  };
  const current = async (): Promise<Platform | undefined> => await client.get<Platform>(platformRef(namespace, 'acme'));
  const settled = async (): Promise<Platform> =>
    await until('a status', async () => {
      const found = await current();
      const secrets = await get(resources.secrets, 'acme-app');
      const waiting = condition(found, 'Ready')?.reason.startsWith('Postgres') === true;
      return secrets !== undefined && waiting ? found : undefined;
    });
  /** Waits until the operator has written nothing for a while. */
  const quiet = async (): Promise<readonly string[]> => {
    for (let before = -1; ; ) {
      const now = operator.writes(namespace);
      if (now.length === before) return now;
      before = now.length;
      await pause(1500);
    }
  };

  it('makes a platform’s objects, labelled and owned, and reports from the first status on', async () => {
    await create();
    const first = await until('a first status', async () =>
      (await current())?.status === undefined ? undefined : await current(),
    );
    expect(first.status?.conditions?.map(({ type }) => type)).to.include.members([
      'Ready',
      'Progressing',
      'Degraded',
      'PostgresReady',
      'FailoverInProgress',
    ]);
    const found = await settled();
    expect(found.metadata.finalizers).to.deep.equal([FINALIZER]);
    expect(condition(found, 'Ready')).to.include({ status: 'False', observedGeneration: 1 });
    for (const [resource, name] of [
      [resources.statefulSets, 'acme-postgres'],
      [resources.statefulSets, 'acme-rabbitmq'],
      [resources.services, 'acme-postgres-primary'],
      [resources.services, 'acme-redis'],
      [resources.secrets, 'acme-app'],
    ] as const) {
      const child = await until(`${resource.kind} ${name}`, () => get(resource, name));
      expect(child.metadata.labels).to.include({
        [labels.platform]: 'acme',
        [labels.managedBy]: 'isp-support-operator',
      });
      expect(
        child.metadata.ownerReferences?.map(({ name: owner, controller }) => ({ owner, controller })),
      ).to.deep.equal([{ owner: 'acme', controller: true }]);
    }
    expect(await get(resources.deployments, 'acme-api'), 'the API waits for the migrations').to.equal(undefined);
  });

  it('writes nothing when nothing has changed, and after a restart changes no version', async () => {
    await create();
    await settled();
    const before = await quiet();
    const versions = async (): Promise<unknown> =>
      await Promise.all(
        [
          resources.statefulSets,
          resources.services,
          resources.configMaps,
          resources.secrets,
          resources.roles,
          resources.podDisruptionBudgets,
        ].map(async (resource) =>
          (await client.list(resource, { namespace })).items.map(({ kind, metadata }) => [
            kind,
            metadata.name,
            metadata.resourceVersion,
          ]),
        ),
      );
    const seen = await versions();
    await pause(3000);
    expect(operator.writes(namespace)).to.deep.equal(before);
    await operator.stop();
    operator = startOperator(server.current);
    await until('a first pass', async () => (operator.writes(namespace).length > 0 ? true : undefined));
    await quiet();
    expect(await versions()).to.deep.equal(seen);
  });

  it('repairs what somebody else has changed or deleted', async () => {
    await create();
    await settled();
    await client.delete(ref(resources.services, 'acme-redis'));
    await client.patch(ref(resources.services, 'acme-postgres-primary'), {
      type: 'merge',
      body: { spec: { selector: { [labels.role]: 'anybody' } } },
    });
    await until('the deleted Service again', () => get(resources.services, 'acme-redis'));
    await until('the selector again', async () => {
      const service = await get<Service>(resources.services, 'acme-postgres-primary');
      return service?.spec?.selector?.[labels.role] === 'primary' ? true : undefined;
    });
  });

  it('never makes a password anew over data that is in use', async () => {
    await create();
    await settled();
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name: 'data-acme-postgres-0',
        namespace,
        labels: { [labels.platform]: 'acme', [labels.component]: 'postgres' },
      },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    } as KubeObject;
    await client.create(claim);
    await pause(500);
    await client.delete(ref(resources.secrets, 'acme-postgres'));
    const told = await until('a word about it', async () => {
      const ready = condition(await current(), 'Ready');
      return ready?.reason === 'CredentialsLost' ? ready : undefined;
    });
    expect(told.message).to.contain('acme-postgres');
    await quiet();
    expect(await get<Secret>(resources.secrets, 'acme-postgres')).to.equal(undefined);
  });

  it('makes nothing out of what a deleted platform of its name has left, and begins once that is gone', async () => {
    const left = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'acme-redis',
        namespace,
        labels: { [labels.platform]: 'acme', [labels.component]: 'redis' },
        ownerReferences: [
          {
            apiVersion: resources.platforms.apiVersion,
            kind: resources.platforms.kind,
            name: 'acme',
            uid: '00000000-0000-4000-8000-000000000000',
            controller: true,
          },
        ],
      },
      data: { password: Buffer.from('of the one before').toString('base64') },
    } as KubeObject;
    await client.create(left);
    // The cache has it by the time that it has what came later.
    await pause(500);
    await create();
    const waiting = await until('a word about it', async () => {
      const progressing = condition(await current(), 'Progressing');
      return progressing?.reason === 'WaitingForDeletion' ? progressing : undefined;
    });
    expect(waiting.message).to.contain('Secret acme-redis');
    await quiet();
    expect((await client.list(resources.statefulSets, { namespace })).items).to.deep.equal([]);
    expect((await client.list(resources.secrets, { namespace })).items).to.have.length(1);
    await client.delete(ref(resources.secrets, 'acme-redis'));
    await settled();
    const made = await get<Secret>(resources.secrets, 'acme-redis');
    expect(made?.data?.['password']).to.not.equal((left as Secret).data?.['password']);
  });

  it('leaves an object alone that belongs to somebody else, and says whose it is', async () => {
    const foreign = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'acme-redis',
        namespace,
        ownerReferences: [
          {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            name: 'somebody',
            uid: '00000000-0000-4000-8000-000000000000',
            controller: true,
          },
        ],
      },
      spec: { ports: [{ port: 1 }] },
    } as KubeObject;
    await client.create(foreign);
    await create();
    const stalled = await until('a word about it', async () => condition(await current(), 'Stalled'));
    expect(stalled.message).to.contain('acme-redis').and.to.contain('somebody');
    expect((await get<Service>(resources.services, 'acme-redis'))?.spec?.ports?.[0]?.port).to.equal(1);
  });

  it('observes and reports, and changes nothing, while it is paused', async () => {
    await create({ paused: true });
    const found = await until('a status', async () =>
      (await current())?.status === undefined ? undefined : await current(),
    );
    expect(condition(found, 'Progressing')).to.include({ status: 'False', reason: 'Paused' });
    await quiet();
    expect((await client.list(resources.statefulSets, { namespace })).items).to.deep.equal([]);
    expect((await current())?.metadata.finalizers).to.equal(undefined);
  });

  it('holds the API back until the migration is done, and says what it waits for', async () => {
    await create();
    await settled();
    const deployment = { resource: resources.deployments, namespace, name: 'acme-api' };
    expect(await client.get<Deployment>(deployment)).to.equal(undefined);
    expect(condition(await current(), 'ApiReady')).to.include({ status: 'False', reason: 'WaitingForDependencies' });
    expect(condition(await current(), 'ApiReady')?.message).to.contain('migrations');
  });

  it('does not carry out what would break an engine, and says which field is wrong', async () => {
    await create({ redis: { maxMemory: '8gb', resources: { limits: { memory: '1Gi' } } } });
    const stalled = await until('a word about it', async () => condition(await current(), 'Stalled'));
    expect(stalled.message).to.contain('maxMemory');
    await quiet();
    const sets = (await client.list(resources.statefulSets, { namespace })).items.map(({ metadata }) => metadata.name);
    expect(sets).to.include('acme-postgres');
    expect(sets.filter((name) => name.startsWith('acme-redis'))).to.deep.equal([]);
  });

  it('makes a pooler as asked, writes nothing more, and takes it away with the way to it', async () => {
    await create({ postgres: { pooler: { enabled: true } } });
    const url = async (): Promise<string> =>
      Buffer.from(
        (await get<Secret>(resources.secrets, 'acme-app'))?.data?.['DATABASE_URL'] ?? '',
        'base64',
      ).toString();
    const deployments = async (): Promise<string[]> =>
      (await client.list(resources.deployments, { namespace })).items.map(({ metadata }) => metadata.name);
    await until('both poolers', async () => ((await deployments()).length === 2 ? true : undefined));
    await settled();
    expect(await deployments()).to.have.members(['acme-postgres-pooler', 'acme-postgres-pooler-ro']);
    expect(await url()).to.contain('@acme-postgres-pooler.');
    const before = await quiet();
    await pause(2000);
    expect(operator.writes(namespace)).to.deep.equal(before);
    const body = { spec: { postgres: { pooler: { enabled: false } } } };
    await client.patch(platformRef(namespace, 'acme'), { type: 'merge', body });
    await until('no pooler', async () => ((await deployments()).length === 0 ? true : undefined));
    expect(await url()).to.contain('@acme-postgres-primary.');
    await until('nothing of it', async () =>
      (await get(resources.secrets, 'acme-postgres-pooler')) === undefined ? true : undefined,
    );
  });

  it('ends the stateful sets before it lets a platform go', async () => {
    await create();
    await settled();
    await client.delete(platformRef(namespace, 'acme'));
    await until('the platform gone', async () => ((await current()) === undefined ? true : undefined));
    expect((await client.list(resources.statefulSets, { namespace })).items).to.deep.equal([]);
  });
});
