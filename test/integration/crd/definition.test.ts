import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { KubeObject } from '../../../operator/kube/types.ts';
import type { PlatformStatus } from '../../../operator/platform/core/platform.ts';
import { newNamespace, useApiServer } from '../../support/apiserver/shared.ts';
import { type Definition, establishDefinition, isTrue, platform, platformRef } from './platforms.ts';

const run = promisify(execFile);

const STATUS: PlatformStatus = {
  observedGeneration: 1,
  version: '1.2.3',
  customers: 100,
  conditions: [
    {
      type: 'Ready',
      status: 'False',
      reason: 'PostgresNotReady',
      message: 'pod acme-postgres-0 is starting',
      lastTransitionTime: '2026-01-01T00:00:00Z',
      observedGeneration: 1,
    },
  ],
  api: { replicas: 2, readyReplicas: 1, ready: '1/2', selector: 'isp.support/platform=acme' },
  postgres: {
    primary: 'acme-postgres-0',
    timeline: 1,
    members: [{ name: 'acme-postgres-0', role: 'primary', state: 'running', lagBytes: 0 }],
  },
  redis: { mode: 'cluster', state: 'ok', masters: 3, replicas: 3, slotsAssigned: 16384 },
  rabbitmq: { runningNodes: ['rabbit@acme-rabbitmq-0'], quorumCritical: [] },
  workers: [
    {
      name: 'ai',
      replicas: 1,
      readyReplicas: 1,
      queueLength: 0,
      desiredReplicas: 0,
      busyReplicas: 1,
      oldestMessageAt: '2026-01-01T00:00:00Z',
      lowSince: '2026-01-01T00:00:00Z',
      lowPeak: 0,
      lastScale: { from: 2, to: 1, reason: 'Idle', at: '2026-01-01T00:00:00Z' },
    },
  ],
  lastFailover: { component: 'postgres', reason: 'PrimaryLost', rtoSeconds: 1.5, outcome: 'Succeeded' },
  lastSwitchover: { request: 'any/1', outcome: 'Succeeded' },
};

describe('the resource definition', () => {
  const server = useApiServer();
  let namespace: string;
  let definition: Definition;

  before(async function establish() {
    this.timeout(30_000);
    definition = await establishDefinition(server.current.client, AbortSignal.timeout(30_000));
    namespace = await newNamespace(server.current, 'definition');
  });

  async function kubectl(...args: string[]): Promise<string> {
    const { kubeconfig, assets } = server.current;
    const all = ['--kubeconfig', kubeconfig, '--namespace', namespace, ...args];
    return (await run(join(assets, 'kubectl'), all)).stdout;
  }

  async function makeWithStatus(name: string, spec: unknown): Promise<KubeObject & { status?: PlatformStatus }> {
    const made = await server.current.client.create(platform(namespace, name, spec));
    return await server.current.client.replaceStatus({ ...made, status: STATUS });
  }

  it('is established, structural and free of reservations of the server', () => {
    expect(isTrue(definition, 'Established')).to.equal(true);
    expect(isTrue(definition, 'NamesAccepted')).to.equal(true);
    expect(isTrue(definition, 'NonStructuralSchema')).to.equal(false);
  });

  it('accepts an empty spec and none at all, and adds nothing to it', async () => {
    const { spec: _, ...bare } = platform(namespace, 'bare');
    expect(await server.current.client.create(bare))
      .to.have.property('spec')
      .that.deep.equals({});
    expect((await server.current.client.create(platform(namespace, 'empty'))).spec).to.deep.equal({});
  });

  it('accepts a pooler beside TLS', async () => {
    const spec = { postgres: { tls: { enabled: true }, pooler: { enabled: true } } };
    expect((await server.current.client.create(platform(namespace, 'both', spec))).spec).to.deep.equal(spec);
  });

  it('lets whoever applies take the last field out of the spec', async () => {
    const apply = async (spec: unknown) =>
      await server.current.client.apply(platform(namespace, 'emptied', spec) as KubeObject, { fieldManager: 'test' });
    await apply({ api: { replicas: 2 } });
    expect(await apply({}))
      .to.have.property('spec')
      .that.deep.equals({});
  });

  it('stores every field of the status that the operator writes', async () => {
    const { status } = await makeWithStatus('stored', {});
    expect(status).to.deep.equal(STATUS);
  });

  it('stores a status of which another version of the operator writes only parts', async () => {
    const made = await server.current.client.create(platform(namespace, 'partial'));
    const status = { api: { replicas: 2 }, redis: { mode: 'cluster' } };
    const stored = await server.current.client.replaceStatus({ ...made, status });
    expect(stored.status).to.deep.equal(status);
  });

  it('shows what matters in columns', async () => {
    await makeWithStatus('columns', {});
    const [header, row] = (await kubectl('get', 'isp', 'columns')).split('\n');
    expect(header?.split(/\s+/)).to.deep.equal([
      'NAME',
      'READY',
      'STATUS',
      'CUSTOMERS',
      'API',
      'PRIMARY',
      'VERSION',
      'AGE',
    ]);
    expect(row?.split(/\s+/).slice(0, 7)).to.deep.equal([
      'columns',
      'False',
      'PostgresNotReady',
      '100',
      '1/2',
      'acme-postgres-0',
      '1.2.3',
    ]);
  });

  it('scales the API through its scale subresource', async () => {
    await makeWithStatus('scaled', { api: { replicas: 2 } });
    const scale = JSON.parse(await kubectl('get', 'isp', 'scaled', '--subresource=scale', '-o', 'json')) as unknown;
    expect(scale).to.deep.include({
      spec: { replicas: 2 },
      status: { replicas: 2, selector: 'isp.support/platform=acme' },
    });
    await kubectl('scale', 'isp', 'scaled', '--replicas=5');
    const scaled = await server.current.client.get<ReturnType<typeof platform>>(platformRef(namespace, 'scaled'));
    expect(scaled?.spec).to.deep.equal({ api: { replicas: 5 } });
  });

  it('explains every field', async () => {
    const text = await kubectl('explain', 'isp.spec.postgres.synchronous');
    expect(text).to.include('A commit is acknowledged').and.include('<boolean>');
  });
});
