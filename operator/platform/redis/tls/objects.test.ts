import { expect } from 'chai';
import type { StatefulSet } from '../../../kube/resources.ts';
import type { KubeObject } from '../../../kube/types.ts';
import { redisObjects } from '../desired.ts';
import { sentinelObjects } from '../sentinel/desired.ts';
import { platform, wanted } from '../testing/fixtures.ts';

const secured = { ...wanted, tls: { enabled: true } };
const shards = [{ shard: 0, shards: 3, pods: 2, storage: wanted.storage }];
const servers = { pods: 3, storage: wanted.storage };
const now = { certificate: 'one', bundle: 'ca-one.crt' };

const confOf = (objects: readonly KubeObject[], file: string) =>
  (objects[0] as { data?: Record<string, string> } | undefined)?.data?.[file] ?? '';
const setsOf = (objects: readonly KubeObject[]) =>
  objects.filter(({ kind }) => kind === 'StatefulSet') as StatefulSet[];

describe('the objects of a Redis with TLS', () => {
  it('say nothing of it where it is not wanted', () => {
    for (const objects of [redisObjects(platform, wanted, shards), sentinelObjects(platform, wanted, servers, true)])
      expect(JSON.stringify(objects)).to.not.match(/tls|certificate/i);
  });

  it('have servers of a cluster that listen for TLS alone, and tell clients names, which the certificate has', () => {
    const conf = confOf(redisObjects(platform, secured, shards), 'redis.conf');
    for (const line of [
      'port 0',
      'tls-port 6379',
      'tls-auth-clients no',
      'tls-replication yes',
      'tls-cluster yes',
      'cluster-preferred-endpoint-type hostname',
    ])
      expect(conf).to.match(new RegExp(`^${line}$`, 'm'));
  });

  it('have servers and Sentinels that listen for TLS alone, and ask each other with it', () => {
    const objects = sentinelObjects(platform, secured, servers, true, now);
    for (const [file, port] of [
      ['redis.conf', 6379],
      ['sentinel.conf', 26379],
    ] as const)
      for (const line of ['port 0', `tls-port ${port}`, 'tls-replication yes'])
        expect(confOf(objects, file), file).to.match(new RegExp(`^${line}$`, 'm'));
  });

  it('ask at the start with TLS, and then where nobody notes that nothing was said', () => {
    for (const set of setsOf(redisObjects(platform, secured, shards))) {
      const [container] = set.spec?.template.spec?.containers ?? [];
      expect(container?.startupProbe?.exec?.command).to.include('--tls');
      expect(container?.readinessProbe?.tcpSocket?.port).to.equal('bus');
      expect(container?.livenessProbe?.tcpSocket?.port).to.equal('bus');
    }
  });

  it('replace Sentinels for a new certificate or bundle, which they read at their start alone, and no servers', () => {
    const templates = (certificates: typeof now) =>
      setsOf(sentinelObjects(platform, secured, servers, true, certificates)).map(({ spec }) => spec?.template);
    const [server, sentinel] = templates(now);
    for (const later of [
      { ...now, certificate: 'two' },
      { ...now, bundle: 'ca-two.crt' },
    ]) {
      expect(templates(later)[0]).to.deep.equal(server);
      expect(templates(later)[1]).to.not.deep.equal(sentinel);
    }
  });

  it('leave Sentinels as they are while it is not known what they are to serve with', () => {
    const names = setsOf(sentinelObjects(platform, secured, servers, true)).map(({ metadata }) => metadata.name);
    expect(names).to.deep.equal(['acme-redis']);
  });
});
