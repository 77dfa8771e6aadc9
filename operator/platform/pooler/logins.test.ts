import { expect } from 'chai';
import type { Pod } from '../../kube/resources.ts';
import { liveUserlist } from './credentials.ts';
import { startHash } from './desired.ts';
import { ENABLED, poolerDeployment, poolerPod, poolerScope, secretOf } from './fixtures.ts';
import { doPoolersKnow, poolerLogins } from './logins.ts';
import { POOLER_KINDS, START_ANNOTATION, USERLIST_KEY } from './names.ts';

const next = { username: 'isp_support_alt', password: 'pa"ss' };
const both = secretOf(
  'acme-postgres-pooler',
  { [USERLIST_KEY]: '"isp_support" "correct-horse"\n"isp_support_alt" "pa""ss"\n' },
  'pooler',
);
const nextSecret = secretOf('acme-postgres-next', next, 'postgres');
const deployments = [poolerDeployment('acme-postgres-pooler'), poolerDeployment('acme-postgres-pooler-ro')];

function scopeOfPods(pods: readonly (readonly ['writes' | 'reads', Pod])[], users = both) {
  return poolerScope({ primary: 0, pods, objects: [nextSecret, ...deployments], users });
}

describe('those whom the poolers let in', () => {
  it('are the application, and the login that is to follow', () => {
    expect(poolerLogins(poolerScope({ primary: 0 }))).to.have.length(1);
    const logins = poolerLogins(poolerScope({ primary: 0, objects: [nextSecret] }));
    expect(logins.map(({ username, password }) => [username, password])).to.deep.equal([
      ['isp_support', 'correct-horse'],
      ['isp_support_alt', 'pa"ss'],
    ]);
  });

  it('are known when every pod has read the list with them', () => {
    const scope = scopeOfPods([]);
    const read = (kind: 'writes' | 'reads', name: string, hash?: string, tls = false) => {
      const { pooler } = scope.effective.postgres;
      const now = startHash(scope.platform, pooler, kind, liveUserlist(scope) ?? '', tls);
      const secured = tls ? { 'isp.support/tls': 'on' } : {};
      return [kind, poolerPod(kind, name, { [START_ANNOTATION]: hash ?? now, ...secured })] as const;
    };
    const all = POOLER_KINDS.map((kind) => read(kind, `${kind}-a`));
    expect(doPoolersKnow(scopeOfPods(all), next)).to.equal(true);
    expect(doPoolersKnow(scopeOfPods([...all, read('writes', 'writes-b', undefined, true)]), next)).to.equal(true);
    expect(doPoolersKnow(scopeOfPods([...all, read('writes', 'writes-b', 'earlier')]), next)).to.equal(false);
    expect(doPoolersKnow(scopeOfPods(all), { ...next, password: 'another' })).to.equal(false);
  });

  it('are of no concern without a pooler', () => {
    expect(doPoolersKnow(poolerScope({ spec: {}, primary: 0 }), next)).to.equal(true);
    expect(doPoolersKnow(poolerScope({ spec: ENABLED, primary: 0 }), next)).to.equal(false);
  });
});
