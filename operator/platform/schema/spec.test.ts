import { expect } from 'chai';
import { platformSpecSchema } from './spec.ts';
import type { StatusAgrees } from './status-schema.ts';

// The example of the README and the reference, with every kind of field.
const FULL = {
  customers: 10000,
  paused: false,
  api: {
    autoscaling: { minReplicas: 4, maxReplicas: 12, targetCPUUtilizationPercentage: 70 },
    processes: 4,
    maxConnections: 250,
    resources: { requests: { cpu: 1, memory: '1Gi' }, limits: { cpu: '2', memory: '2Gi' } },
  },
  postgres: {
    version: '15',
    instances: 3,
    synchronous: true,
    storage: { size: '20Gi', storageClassName: 'standard' },
    parameters: { work_mem: '20MB', max_connections: 200 },
  },
  redis: { mode: 'cluster', shards: 3, replicasPerShard: 1, maxMemory: '1gb', storage: { size: '5Gi' } },
  rabbitmq: { nodes: 3, storage: { size: '10Gi' } },
  workers: [
    {
      name: 'ai',
      queues: ['ai_tasks'],
      concurrency: 4,
      prefetch: 1,
      maxTasksPerChild: 1000,
      timeLimitSeconds: 300,
      softTimeLimitSeconds: 250,
      autoscaling: { minReplicas: 1, maxReplicas: 16, targetQueueLength: 20 },
    },
  ],
  beat: { enabled: true },
  images: { redis: 'registry.example/redis:7.4@sha256:abc' },
  failover: { enabled: true, probeIntervalSeconds: 1, failureThreshold: 3 },
  slo: { availability: '99.95', latencyP95Milliseconds: 200, latencyP99Milliseconds: 500 },
};

describe('the spec', () => {
  it('may be empty', () => {
    expect(platformSpecSchema.parse({})).to.deep.equal({});
  });

  it('takes every field and adds nothing', () => {
    expect(platformSpecSchema.parse(FULL)).to.deep.equal(FULL);
  });

  it('refuses a field that it does not know, by its path', () => {
    const { error } = platformSpecSchema.safeParse({ postgres: { instance: 3 } });
    expect(error?.issues[0]).to.deep.include({ code: 'unrecognized_keys', path: ['postgres'], keys: ['instance'] });
  });
});

describe('the status', () => {
  it('is what the components write', () => {
    const agrees: StatusAgrees = [true, true, true];
    expect(agrees).to.deep.equal([true, true, true]);
  });
});
