import { expect } from 'chai';
import type { StatefulSet } from '../../kube/resources.ts';
import { redisSecret } from './credentials.ts';
import { redisObjects } from './desired.ts';
import { platform, wanted } from './testing/fixtures.ts';

const intents = [0, 1, 2].map((shard) => ({ shard, shards: 3, pods: 2, storage: wanted.storage }));

function setsOf(redis = wanted): StatefulSet[] {
  return redisObjects(platform, redis, intents).filter((object) => object.kind === 'StatefulSet') as StatefulSet[];
}

describe('the objects of Redis', () => {
  it('are named as users know them', () => {
    const names = redisObjects(platform, wanted, intents).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names).to.deep.equal([
      'ConfigMap acme-redis',
      'Service acme-redis-nodes',
      'Service acme-redis',
      'PodDisruptionBudget acme-redis-0',
      'PodDisruptionBudget acme-redis-1',
      'PodDisruptionBudget acme-redis-2',
      'StatefulSet acme-redis-0',
      'StatefulSet acme-redis-1',
      'StatefulSet acme-redis-2',
    ]);
  });

  it('do not restart a pod for what the server changes while it runs', () => {
    const templates = (redis: typeof wanted) => setsOf(redis).map((set) => set.spec?.template);
    expect(templates({ ...wanted, maxMemory: '2gb' })).to.deep.equal(templates(wanted));
    expect(templates({ ...wanted, image: 'redis:8' })).to.not.deep.equal(templates(wanted));
  });

  it('never hold the password', () => {
    const secret = redisSecret(platform, () => 'correct-horse');
    expect(secret.values).to.deep.equal({
      password: 'correct-horse',
      uri: 'redis://:correct-horse@acme-redis.support.svc:6379/0',
      'auth.conf': 'requirepass correct-horse\nmasterauth correct-horse\n',
    });
    const [container] = setsOf()[0]?.spec?.template.spec?.containers ?? [];
    expect(container?.args?.join(' ')).to.not.include('requirepass');
  });

  it('keep the pods of a shard on different nodes wherever there are two, and start on one node too', () => {
    const [strict] = setsOf()[1]?.spec?.template.spec?.topologySpreadConstraints ?? [];
    expect(strict).to.include({
      maxSkew: 1,
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'DoNotSchedule',
    });
    expect(strict?.labelSelector?.matchLabels).to.include({ 'isp.support/shard': '1' });
  });

  it('select by nothing that a pod does not carry', () => {
    for (const set of setsOf())
      expect(set.spec?.template.metadata?.labels).to.include(set.spec?.selector.matchLabels ?? { no: 'selector' });
  });
});
