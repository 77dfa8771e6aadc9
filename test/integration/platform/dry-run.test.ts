import { expect } from 'chai';
import { type DryRun, dryRun } from '../../../operator/dry-run.ts';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { type Deployment, resources } from '../../../operator/kube/resources.ts';
import { silentLogger } from '../../../operator/runtime/logger.ts';
import { newNamespace, useApiServer } from '../../support/apiserver/shared.ts';
import { Controllers } from '../../support/controllers/index.ts';
import { eventually } from '../../support/eventually.ts';
import { establishDefinition, platform } from '../crd/platforms.ts';
import { startOperator } from './operator.ts';

/** One member and one node are what the played engines are. */
const SPEC = { customers: 100, postgres: { instances: 1 }, rabbitmq: { nodes: 1 } };

describe('a dry run', function () {
  this.timeout(90_000);
  const server = useApiServer();
  const env = { RELATED_IMAGE_API: 'api:test', RELATED_IMAGE_POSTGRES: 'postgres:test' };
  let client: KubeClient;
  let controllers: Controllers;
  let namespace: string;
  let writes: number;

  before(async () => {
    client = server.current.newClient({
      onResult: ({ method }) => {
        if (method !== 'GET') writes += 1;
      },
    });
    await establishDefinition(client, AbortSignal.timeout(20_000));
    controllers = new Controllers(server.current.client);
    await controllers.start();
    namespace = await newNamespace(server.current, 'dry-run');
  });

  after(async () => {
    await controllers.stop();
    await client.close();
  });

  async function run(): Promise<DryRun | undefined> {
    const components = controllers.engines.components();
    const signal = AbortSignal.timeout(30_000);
    const results = await dryRun({ client, logger: silentLogger, env, components, signal });
    return results.find((result) => result.platform === `${namespace}/acme`);
  }

  function changesOf(result: DryRun | undefined): string[] {
    return (result?.components ?? []).flatMap(({ changes }) =>
      changes.map(({ verb, what, detail }) => [verb, what, ...(detail === undefined ? [] : [detail])].join(' ')),
    );
  }

  async function everything(): Promise<string> {
    const found = await Promise.all(
      [resources.deployments, resources.secrets, resources.statefulSets, resources.services].map((resource) =>
        client.list(resource, { namespace }),
      ),
    );
    const versions = found.flatMap(({ items }) =>
      items.map(({ metadata }) => `${metadata.name} ${metadata.generation ?? metadata.resourceVersion}`),
    );
    return versions.join('\n');
  }

  it('says what an operator would make of a new platform, and makes nothing', async () => {
    await client.create(platform(namespace, 'acme', SPEC));
    const changes = changesOf(await run());
    expect(changes).to.include('create Secret acme-postgres').and.include('create Secret acme-redis');
    expect(await everything()).to.equal('');
  });

  it('has nothing to do where an operator has done its work, and then names the field that somebody has changed', async () => {
    const operator = startOperator(server.current, 'dry-run', controllers.engines.components());
    try {
      await eventually(async () => {
        expect(await client.get({ resource: resources.deployments, namespace, name: 'acme-api' })).to.not.equal(
          undefined,
        );
        expect(changesOf(await run())).to.deep.equal([]);
      }, 60_000);
    } finally {
      await operator.stop();
    }
    const ref = { resource: resources.deployments, namespace, name: 'acme-api' };
    const body = { spec: { template: { spec: { enableServiceLinks: true } } } };
    await client.patch<Deployment>(ref, { type: 'merge', body, fieldManager: 'somebody' });
    writes = 0;
    const before = await everything();
    const changes = changesOf(await run());
    expect(changes).to.include('change Deployment acme-api spec.template.spec.enableServiceLinks');
    expect(await everything()).to.equal(before);
    // Dry runs of the API server are PATCH requests, too; none is anything else.
    expect(writes).to.be.greaterThan(0);
  });
});
