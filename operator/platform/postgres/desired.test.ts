import { expect } from 'chai';
import type { PodDisruptionBudget, Role, Service, StatefulSet } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import type { EffectivePostgres } from '../core/effective.ts';
import { liveClaim } from '../core/storage-growth.ts';
import { desiredObjects, type Shape } from './desired.ts';
import { platformWith, scopeWith, setOf } from './fixtures.ts';

const { postgres } = scopeWith().effective;

function build(overrides: Partial<EffectivePostgres> = {}, shape: Partial<Shape> = {}): KubeObject[] {
  return desiredObjects(platformWith(), { ...postgres, ...overrides }, { replicas: 3, ...shape });
}

function find<T extends KubeObject>(objects: readonly KubeObject[], kind: string, name: string): T {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found as T;
}

function set(objects: readonly KubeObject[]): StatefulSet {
  return find<StatefulSet>(objects, 'StatefulSet', 'acme-postgres');
}

describe('the objects of Postgres', () => {
  it('lead writes to the primary, reads to the replicas, and name every member, ready or not', () => {
    const objects = build();
    const primary = find<Service>(objects, 'Service', 'acme-postgres-primary').spec;
    const replicas = find<Service>(objects, 'Service', 'acme-postgres-replicas').spec;
    const members = find<Service>(objects, 'Service', 'acme-postgres').spec;
    expect(primary?.selector?.['isp.support/role']).to.equal('primary');
    expect(primary?.publishNotReadyAddresses ?? false).to.equal(false);
    expect(replicas?.selector?.['isp.support/role']).to.equal('replica');
    expect(members?.clusterIP).to.equal('None');
    expect(members?.publishNotReadyAddresses).to.equal(true);
    for (const spec of [primary, replicas, members]) expect(spec?.ports?.[0]?.port).to.equal(5432);
  });

  it('do not restart a database for a parameter', () => {
    const before = set(build()).spec?.template;
    const after = set(build({ parameters: { ...postgres.parameters, work_mem: '64MB', max_connections: '500' } })).spec
      ?.template;
    expect(after).to.deep.equal(before);
  });

  it('fit the restricted Pod Security Standard with nothing writable but volumes', () => {
    const pod = set(build()).spec?.template.spec;
    expect(pod?.securityContext).to.include({ runAsNonRoot: true, runAsUser: 999, fsGroup: 999 });
    expect(pod?.securityContext?.seccompProfile).to.deep.equal({ type: 'RuntimeDefault' });
    const container = pod?.containers[0];
    expect(container?.securityContext).to.deep.equal({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('never put two members on one node while another node is free', () => {
    const constraint = set(build()).spec?.template.spec?.topologySpreadConstraints?.find(
      ({ topologyKey }) => topologyKey === 'kubernetes.io/hostname',
    );
    expect(constraint).to.include({ maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' });
    expect(constraint?.labelSelector?.matchLabels).to.deep.equal(set(build()).spec?.selector.matchLabels);
  });

  it('keep volumes whatever happens to the StatefulSet', () => {
    expect(set(build()).spec?.persistentVolumeClaimRetentionPolicy).to.deep.equal({
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
    });
  });

  it('leave the claim template of a live StatefulSet as it is, since nobody may change it', () => {
    const [claim] =
      set(build({ storage: { size: '50Gi' } }, { claim: liveClaim(setOf(3, '5Gi')) })).spec?.volumeClaimTemplates ?? [];
    expect(claim?.spec?.resources?.requests?.storage).to.equal('5Gi');
    const [first] = set(build({ storage: { size: '5Gi' } })).spec?.volumeClaimTemplates ?? [];
    expect(claim).to.deep.equal(first);
  });

  it('take the passwords from the Secrets and have none of them in themselves', () => {
    const env = set(build()).spec?.template.spec?.containers[0]?.env ?? [];
    const passwords = env.filter(({ name }) => name.endsWith('PASSWORD'));
    expect(passwords).to.have.length.greaterThan(3);
    for (const { value, valueFrom } of passwords) {
      expect(value).to.equal(undefined);
      expect(valueFrom?.secretKeyRef?.name).to.equal('acme-postgres-admin');
    }
  });

  it('serve with TLS from files that only Postgres can read, and start with a configuration of their own', () => {
    const tls = { offer: true, verify: true, pool: true, use: true, demand: true };
    const template = set(build({}, { replicas: 3, tls })).spec?.template;
    expect(template?.metadata?.annotations).to.deep.equal({ 'isp.support/tls': 'on' });
    const pod = template?.spec;
    expect(pod?.containers[0]?.command).to.deep.equal(['patroni', '/etc/patroni/patroni-tls.yml']);
    const volume = pod?.volumes?.find(({ name }) => name === 'tls')?.projected;
    expect(volume?.defaultMode).to.equal(0o440);
    expect(volume?.sources?.map(({ secret, configMap }) => secret?.name ?? configMap?.name)).to.deep.equal([
      'acme-postgres-tls',
      'acme-ca',
    ]);
    expect(JSON.stringify(volume)).to.not.contain('next').and.not.contain('previous');
  });

  it('let a drain take one standby at a time, and never the primary, and have no pod in two budgets', () => {
    const standbys = find<PodDisruptionBudget>(build(), 'PodDisruptionBudget', 'acme-postgres').spec;
    expect(standbys?.minAvailable).to.equal(1);
    expect(standbys?.selector?.matchExpressions).to.deep.equal([
      { key: 'isp.support/role', operator: 'NotIn', values: ['primary'] },
    ]);
    const primary = find<PodDisruptionBudget>(build(), 'PodDisruptionBudget', 'acme-postgres-primary').spec;
    expect(primary?.minAvailable).to.equal(1);
    expect(primary?.selector?.matchLabels).to.include({ 'isp.support/role': 'primary' });
  });

  it('let a drain take the only member, for which nobody could take over', () => {
    const budgets = build({}, { replicas: 1 }).filter(({ kind }) => kind === 'PodDisruptionBudget');
    expect(budgets).to.have.length(1);
    expect((budgets[0] as PodDisruptionBudget).spec).to.include({ maxUnavailable: 1 });
  });

  it('give Patroni rights over its own state and its own pods, also over those that are being taken away', () => {
    const rules = find<Role>(build({}, { members: 5 }), 'Role', 'acme-postgres').rules ?? [];
    const pods = rules.find(({ resources, verbs }) => resources?.includes('pods') && verbs.includes('patch'));
    expect(pods?.resourceNames).to.have.length(5);
    const maps = rules.find(({ resources, verbs }) => resources?.includes('configmaps') && verbs.includes('patch'));
    expect(maps?.resourceNames).to.have.members([
      'acme-postgres-config',
      'acme-postgres-leader',
      'acme-postgres-sync',
      'acme-postgres-failover',
    ]);
    expect(rules.flatMap(({ verbs }) => verbs)).not.to.include.members(['delete']);
    expect(rules.flatMap(({ resources }) => resources)).to.have.members(['configmaps', 'configmaps', 'pods', 'pods']);
  });
});
