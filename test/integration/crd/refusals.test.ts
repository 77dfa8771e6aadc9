import { expect } from 'chai';
import { newNamespace, useApiServer } from '../../support/apiserver/shared.ts';
import { establishDefinition, platform, platformRef, refusal } from './platforms.ts';

interface Case {
  readonly what: string;
  readonly spec: unknown;
  /** Field, value and remedy: each must be in the message. */
  readonly says: readonly string[];
}

const long = (length: number) => 'x'.repeat(length);

const REFUSED: readonly Case[] = [
  {
    what: 'more customers than the largest tier',
    spec: { customers: 50001 },
    says: ['spec.customers', '50001', 'less than or equal to 50000'],
  },
  { what: 'no customers', spec: { customers: 0 }, says: ['spec.customers', '0', 'greater than or equal to 1'] },
  { what: 'customers as text', spec: { customers: 'many' }, says: ['spec.customers', 'string', 'integer'] },
  {
    what: 'fixed replicas beside autoscaling',
    spec: { api: { replicas: 4, autoscaling: {} } },
    says: ['spec.api.replicas', '4', 'remove replicas'],
  },
  {
    what: 'fewest above most API pods',
    spec: { api: { autoscaling: { minReplicas: 5, maxReplicas: 4 } } },
    says: ['spec.api.autoscaling.minReplicas', '5', '4', 'lower minReplicas'],
  },
  {
    what: 'a command without its image',
    spec: { api: { command: ['uvicorn'] } },
    says: ['spec.api.command', 'uvicorn', 'set image'],
  },
  {
    what: 'a request above its limit, one a number',
    spec: { api: { resources: { requests: { cpu: 2 }, limits: { cpu: '500m' } } } },
    says: ['spec.api.resources.requests.cpu', '2', '500m', 'raise the limit'],
  },
  {
    what: 'a memory request above its limit',
    spec: { redis: { resources: { requests: { memory: '2Gi' }, limits: { memory: '1900Mi' } } } },
    says: ['spec.redis.resources.requests.memory', '2Gi', '1900Mi', 'lower the request'],
  },
  {
    what: 'a quantity that is none',
    spec: { api: { resources: { requests: { memory: '2GB' } } } },
    says: ['spec.api.resources.requests.memory', '2GB', 'should match'],
  },
  {
    what: 'an image with a space',
    spec: { images: { redis: 'redis 7' } },
    says: ['spec.images.redis', 'redis 7', 'should match'],
  },
  {
    what: 'a version of Postgres that there is no image for',
    spec: { postgres: { version: '9.6' } },
    says: ['spec.postgres.version', '9.6', '"15"'],
  },
  {
    what: 'too many Postgres instances',
    spec: { postgres: { instances: 6 } },
    says: ['spec.postgres.instances', '6', 'less than or equal to 5'],
  },
  {
    what: 'synchronous replication without a replica',
    spec: { postgres: { instances: 1, synchronous: true } },
    says: ['spec.postgres.synchronous', 'instances 1', 'set instances to 2'],
  },
  {
    what: 'an Alertmanager without a scheme',
    spec: { alerts: { alertmanager: { url: 'alertmanager:9093' } } },
    says: ['spec.alerts.alertmanager.url', 'alertmanager:9093', 'http://'],
  },
  {
    what: 'a password in the URL of an Alertmanager',
    spec: { alerts: { alertmanager: { urls: ['https://ops:hunter2@alertmanager'] } } },
    says: ['spec.alerts.alertmanager.urls[0]', 'hunter2', 'tokenSecret'],
  },
  {
    what: 'one Alertmanager beside several',
    spec: { alerts: { alertmanager: { url: 'http://a:9093', urls: ['http://b:9093'] } } },
    says: ['spec.alerts.alertmanager.url', 'http://a:9093', 'remove one'],
  },
  {
    what: 'alerts for nobody',
    spec: { alerts: { alertmanager: {} } },
    says: ['spec.alerts.alertmanager.url', 'neither', 'set url'],
  },
  {
    what: 'fewer server connections than poolers',
    spec: { postgres: { pooler: { instances: 4, maxServerConnections: 3 } } },
    says: ['spec.postgres.pooler.maxServerConnections', '3', '4 instances', 'raise maxServerConnections'],
  },
  {
    what: 'a pool mode in which no transaction works',
    spec: { postgres: { pooler: { poolMode: 'statement' } } },
    says: ['spec.postgres.pooler.poolMode', 'statement', '"transaction", "session"'],
  },
  {
    what: 'no pooler at all',
    spec: { postgres: { pooler: { instances: 0 } } },
    says: ['spec.postgres.pooler.instances', '0', 'greater than or equal to 1'],
  },
  {
    what: 'a parameter of the operator',
    spec: { postgres: { parameters: { port: 6432, work_mem: '20MB', ssl: 'on' } } },
    says: ['spec.postgres.parameters', 'port', 'ssl', 'remove it'],
  },
  {
    what: 'a parameter that cannot be',
    spec: { postgres: { parameters: { 'Work Mem': '20MB' } } },
    says: ['spec.postgres.parameters', 'Work Mem', 'lower case'],
  },
  {
    what: 'max_connections that is no number',
    spec: { postgres: { parameters: { max_connections: 'many' } } },
    says: ['spec.postgres.parameters', 'max_connections', 'many', 'whole number from 20 to 10000'],
  },
  {
    what: 'max_connections beyond its bounds',
    spec: { postgres: { parameters: { max_connections: 5 } } },
    says: ['spec.postgres.parameters', 'max_connections is 5', 'whole number from 20 to 10000'],
  },
  {
    what: 'a fraction that is not quoted',
    spec: { postgres: { parameters: { random_page_cost: 1.1 } } },
    says: ['spec.postgres.parameters.random_page_cost', 'number', 'string'],
  },
  {
    what: 'a size of storage that is none',
    spec: { postgres: { storage: { size: '20GB' } } },
    says: ['spec.postgres.storage.size', '20GB', 'should match'],
  },
  {
    what: 'TLS for RabbitMQ that is asked for in a word',
    spec: { rabbitmq: { tls: { enabled: 'on' } } },
    says: ['spec.rabbitmq.tls.enabled', 'string', 'boolean'],
  },
  {
    what: 'an unknown mode of Redis',
    spec: { redis: { mode: 'standalone' } },
    says: ['spec.redis.mode', 'standalone', '"cluster", "sentinel"'],
  },
  {
    what: 'too few shards',
    spec: { redis: { shards: 2 } },
    says: ['spec.redis.shards', 'shards is 2', 'set shards to 3'],
  },
  {
    what: 'shards in mode sentinel',
    spec: { redis: { mode: 'sentinel', shards: 3 } },
    says: ['spec.redis.shards', 'shards is 3', 'remove shards'],
  },
  {
    what: 'a memory bound that Redis does not read',
    spec: { redis: { maxMemory: '1Gi' } },
    says: ['spec.redis.maxMemory', '1Gi', '(kb|mb|gb)'],
  },
  {
    what: 'an even number of RabbitMQ nodes',
    spec: { rabbitmq: { nodes: 4 } },
    says: ['spec.rabbitmq.nodes', '4', '1, 3 or 5'],
  },
  {
    what: 'two pools of one name',
    spec: { workers: [{ name: 'ai' }, { name: 'ai' }] },
    says: ['spec.workers[1]', 'Duplicate value', 'ai'],
  },
  {
    what: 'a pool without a name',
    spec: { workers: [{ concurrency: 4 }] },
    says: ['spec.workers[0].name', 'Required value'],
  },
  {
    what: 'a pool whose name is no label',
    spec: { workers: [{ name: 'AI' }] },
    says: ['spec.workers[0].name', 'AI', 'should match'],
  },
  {
    what: 'a pool whose name is too long',
    spec: { workers: [{ name: long(31) }] },
    says: ['spec.workers[0].name', '30'],
  },
  {
    what: 'a soft limit that is not before the hard one',
    spec: { workers: [{ name: 'ai', timeLimitSeconds: 60, softTimeLimitSeconds: 60 }] },
    says: ['spec.workers[0].softTimeLimitSeconds', 'pool ai is 60', 'less than timeLimitSeconds'],
  },
  {
    what: 'a pool that consumes nothing',
    spec: { workers: [{ name: 'ai', queues: [] }] },
    says: ['spec.workers[0].queues', '0', 'at least 1'],
  },
  {
    what: 'a queue named twice in a pool',
    spec: { workers: [{ name: 'ai', queues: ['a', 'a'] }] },
    says: ['spec.workers[0].queues[1]', 'Duplicate value', '"a"'],
  },
  {
    what: 'a pool with replicas and autoscaling',
    spec: { workers: [{ name: 'ai', replicas: 2, autoscaling: {} }] },
    says: ['spec.workers[0].replicas', 'pool ai is 2', 'remove one'],
  },
  {
    what: 'a pool with a command and no image',
    spec: { workers: [{ name: 'ai', command: ['celery'] }] },
    says: ['spec.workers[0].command', 'celery', 'set image'],
  },
  {
    what: 'fewest above most pods of a pool',
    spec: { workers: [{ name: 'ai', autoscaling: { minReplicas: 3, maxReplicas: 2 } }] },
    says: ['spec.workers[0].autoscaling.minReplicas', '3', '2', 'raise maxReplicas'],
  },
  {
    what: 'a pool that may have no pod and none at most',
    spec: { workers: [{ name: 'ai', autoscaling: { minReplicas: 0, maxReplicas: 0 } }] },
    says: ['spec.workers[0].autoscaling.maxReplicas', '0', 'greater than or equal to 1'],
  },
  {
    what: 'an API that may have no pod',
    spec: { api: { autoscaling: { minReplicas: 0 } } },
    says: ['spec.api.autoscaling.minReplicas', '0', 'greater than or equal to 1'],
  },
  {
    what: 'pods that are ended at once',
    spec: { workers: [{ name: 'ai', autoscaling: { scaleInAfterSeconds: 0 } }] },
    says: ['spec.workers[0].autoscaling.scaleInAfterSeconds', '0', 'greater than or equal to 10'],
  },
  {
    what: 'an age of messages for KEDA, which knows none',
    spec: { workers: [{ name: 'ai', autoscaling: { by: 'keda', targetAgeSeconds: 60 } }] },
    says: ['spec.workers[0].autoscaling.targetAgeSeconds', '60', 'knows no age'],
  },
  {
    what: 'too many pools',
    spec: { workers: Array.from({ length: 13 }, (_, i) => ({ name: `pool-${i}` })) },
    says: ['spec.workers', '13', 'at most 12'],
  },
  {
    what: 'a probe interval of nothing',
    spec: { failover: { probeIntervalSeconds: 0 } },
    says: ['spec.failover.probeIntervalSeconds', '0', 'greater than or equal to 1'],
  },
  {
    what: 'an availability of all the time',
    spec: { slo: { availability: '100' } },
    says: ['spec.slo.availability', '100', 'should match'],
  },
];

interface Change {
  readonly what: string;
  readonly from: unknown;
  readonly to: unknown;
  readonly says: readonly string[];
}

const UNCHANGEABLE: readonly Change[] = [
  {
    what: 'a volume that shrinks',
    from: { postgres: { storage: { size: '20Gi' } } },
    to: { postgres: { storage: { size: '20G' } } },
    says: ['spec.postgres.storage.size', 'from 20Gi to 20G', 'set it to 20Gi or more'],
  },
  {
    what: 'another class of storage',
    from: { redis: { storage: { storageClassName: 'fast' } } },
    to: { redis: { storage: { storageClassName: 'slow' } } },
    says: ['spec.redis.storage.storageClassName', 'from fast to slow', 'set it back'],
  },
  {
    what: 'a class of storage that appears afterwards',
    from: {},
    to: { rabbitmq: { storage: { storageClassName: 'slow' } } },
    says: ['spec.rabbitmq.storage.storageClassName', 'from (default) to slow', 'set it back'],
  },
  {
    what: 'a class of storage that is removed',
    from: { rabbitmq: { storage: { storageClassName: 'slow' } } },
    to: {},
    says: ['spec.rabbitmq.storage.storageClassName', 'from slow to (default)', 'set it back'],
  },
  {
    what: 'another mode of Redis',
    from: {},
    to: { redis: { mode: 'sentinel' } },
    says: ['spec.redis.mode', 'from cluster to sentinel', 'make a new platform'],
  },
  {
    what: 'TLS for a Redis that was made without',
    from: { redis: { mode: 'sentinel' } },
    to: { redis: { mode: 'sentinel', tls: { enabled: true } } },
    says: ['spec.redis.tls.enabled', 'from false to true', 'set it back, or make a new platform'],
  },
  {
    what: 'the end of TLS for a Redis that was made with it',
    from: { redis: { tls: { enabled: true } } },
    to: {},
    says: ['spec.redis.tls.enabled', 'from true to false', 'set it back, or make a new platform'],
  },
];

const CHANGEABLE: readonly Omit<Change, 'says'>[] = [
  {
    what: 'a volume that grows',
    from: { postgres: { storage: { size: '20Gi' } } },
    to: { postgres: { storage: { size: '1Ti' } } },
  },
  {
    what: 'the same size in another unit',
    from: { postgres: { storage: { size: '1Gi' } } },
    to: { postgres: { storage: { size: '1024Mi' } } },
  },
  {
    what: 'a default that is spelt out',
    from: {},
    to: { redis: { mode: 'cluster', tls: { enabled: false } }, postgres: { storage: { size: '20Gi' } } },
  },
  {
    what: 'TLS for a RabbitMQ that serves without',
    from: { rabbitmq: { nodes: 3 } },
    to: { rabbitmq: { nodes: 3, tls: { enabled: true } } },
  },
  { what: 'the end of TLS for RabbitMQ', from: { rabbitmq: { tls: { enabled: true } } }, to: {} },
  { what: 'the last of the spec', from: { customers: 1000 }, to: {} },
];

describe('the API server', () => {
  const server = useApiServer();
  let namespace: string;

  before(async function establish() {
    this.timeout(30_000);
    await establishDefinition(server.current.client, AbortSignal.timeout(30_000));
    namespace = await newNamespace(server.current, 'refusals');
  });

  for (const { what, spec, says } of REFUSED) {
    it(`refuses ${what}`, async () => {
      const message = await refusal(server.current.client.create(platform(namespace, 'acme', spec), { dryRun: true }));
      for (const part of says) expect(message).to.include(part);
    });
  }

  for (const [index, { what, from, to, says }] of UNCHANGEABLE.entries()) {
    it(`refuses ${what}`, async () => {
      const name = `unchangeable-${index}`;
      await server.current.client.create(platform(namespace, name, from));
      const change = { type: 'json', body: [{ op: 'replace', path: '/spec', value: to }] } as const;
      const message = await refusal(server.current.client.patch(platformRef(namespace, name), change));
      for (const part of says) expect(message).to.include(part);
    });
  }

  for (const [index, { what, from, to }] of CHANGEABLE.entries()) {
    it(`allows ${what}`, async () => {
      const name = `changeable-${index}`;
      await server.current.client.create(platform(namespace, name, from));
      const change = { type: 'json', body: [{ op: 'replace', path: '/spec', value: to }] } as const;
      const changed = await server.current.client.patch<ReturnType<typeof platform>>(
        platformRef(namespace, name),
        change,
      );
      expect(changed.spec).to.deep.equal(to);
    });
  }

  it('refuses a platform whose name leaves Services too long a name', async () => {
    const message = await refusal(server.current.client.create(platform(namespace, long(41))));
    expect(message).to.include('metadata.name').and.include('has 41 characters').and.include('at most 40');
  });

  it('refuses a platform whose name cannot start that of a Service', async () => {
    for (const name of ['4you', 'a.b']) {
      const message = await refusal(server.current.client.create(platform(namespace, name)));
      expect(message).to.include(`metadata.name ${name}`).and.include('a letter first');
    }
  });

  it('refuses a pool whose Deployment would have too long a name', async () => {
    const attempt = platform(namespace, long(40), { workers: [{ name: 'ai' }, { name: long(16) }] });
    const message = await refusal(server.current.client.create(attempt));
    expect(message).to.include('spec.workers').and.include(long(16)).and.include('to 15 characters');
  });

  it('warns of a field that it does not know', async () => {
    const warnings: string[] = [];
    const client = server.current.newClient({ onWarning: (text) => warnings.push(text) });
    await client.create(platform(namespace, 'typo', { postgres: { instance: 3 } }), { dryRun: true });
    await client.close();
    expect(warnings.join()).to.include('unknown field').and.include('spec.postgres.instance');
  });
});
