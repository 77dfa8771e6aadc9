import { expect } from 'chai';
import type { PersistentVolumeClaim, Pod, StatefulSet, StorageClass } from '../../kube/resources.ts';
import type { ComponentPlan } from '../core/component.ts';
import type { PlatformStatus } from '../core/platform.ts';
import { cached, now, scopeOf } from '../core/testing/scope.ts';
import { withGrowth } from './growth.ts';

const SETS = ['acme-redis-0', 'acme-redis-1'];

function setOf(name: string, size: string, part?: string): StatefulSet {
  const claim = {
    metadata: { name: 'data' },
    spec: { resources: { requests: { storage: size } }, storageClassName: 'fast' },
  };
  const labels = part === undefined ? {} : { 'isp.support/redis-part': part };
  return cached<StatefulSet>({ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name } }, 'redis', {
    metadata: { labels: { 'isp.support/component': 'redis', ...labels } },
    spec: { replicas: 1, volumeClaimTemplates: [claim] },
  });
}

function claimOf(set: string, size: string): PersistentVolumeClaim {
  const kind = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: `data-${set}-0` } } as const;
  return cached<PersistentVolumeClaim>(kind as PersistentVolumeClaim, 'redis', {
    spec: { storageClassName: 'fast', resources: { requests: { storage: size } } },
    status: { phase: 'Bound', capacity: { storage: size } },
  });
}

interface World {
  readonly sets?: readonly StatefulSet[];
  readonly claims: string;
  readonly expands?: boolean;
  readonly plan?: Partial<ComponentPlan>;
  readonly status?: PlatformStatus;
  readonly deleting?: boolean;
}

function plan({
  sets = SETS.map((name) => setOf(name, '1Gi')),
  claims,
  expands = true,
  plan: more,
  status,
  deleting = false,
}: World) {
  const storageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'fast' },
    allowVolumeExpansion: expands,
  };
  const pods = sets.map(({ metadata: { name } }) =>
    cached<Pod>(
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: `${name}-0` } } as Pod,
      'redis',
      deleting ? { metadata: { deletionTimestamp: now.toISOString() } } : {},
    ),
  );
  const scope = scopeOf({
    spec: { redis: { storage: { size: '2Gi', storageClassName: 'fast' } } },
    objects: [
      ...sets,
      ...pods,
      ...sets.map(({ metadata }) => claimOf(metadata.name, claims)),
      storageClass as StorageClass,
    ],
    ...(status === undefined ? {} : { status }),
  });
  const base: ComponentPlan = {
    objects: sets,
    condition: { type: 'RedisReady', status: 'True', reason: 'Healthy', message: 'all is well' },
  };
  const { patches = [], remove = [], objects, condition } = withGrowth(scope, { ...base, ...more }, []);
  return {
    patched: patches.map(({ ref }) => ref.name),
    removed: remove.map(({ ref, orphan }) => `${ref.name}${orphan === true ? ' without its pods' : ''}`),
    applied: objects.map(({ metadata }) => metadata.name),
    condition,
  };
}

describe('the volumes of Redis', () => {
  it('are left alone when they are as wanted', () => {
    const grown = plan({ sets: SETS.map((name) => setOf(name, '2Gi')), claims: '2Gi' });
    expect(grown).to.deep.include({ patched: [], removed: [], applied: SETS });
    expect(grown.condition.reason).to.equal('Healthy');
  });

  it('are all asked to grow, whatever state the servers are in', () => {
    const condition = { type: 'RedisReady', status: 'False', reason: 'SlotsUncovered', message: 'no' } as const;
    const growing = plan({ claims: '1Gi', plan: { condition } });
    expect(growing).to.deep.include({
      patched: ['data-acme-redis-0-0', 'data-acme-redis-1-0'],
      removed: [],
      applied: SETS,
    });
    expect(growing.condition.reason).to.equal('SlotsUncovered');
    expect(plan({ claims: '1Gi' }).condition).to.include({
      status: 'True',
      reason: 'StorageGrowing',
      progressing: true,
    });
  });

  it('have the StatefulSets made anew with their size, one at a time and without their pods', () => {
    expect(plan({ claims: '2Gi' })).to.deep.include({
      patched: [],
      removed: ['acme-redis-0 without its pods'],
      applied: ['acme-redis-1'],
    });
    const second = plan({ sets: [setOf('acme-redis-0', '2Gi'), setOf('acme-redis-1', '1Gi')], claims: '2Gi' });
    expect(second.removed).to.deep.equal(['acme-redis-1 without its pods']);
  });

  it('keep their StatefulSets while anything else is under way', () => {
    const failing = { component: 'redis', reason: 'PrimaryRefused', outcome: 'InProgress' };
    const redis = { mode: 'cluster', state: 'ok', masters: 2, replicas: 0, slotsAssigned: 1, lastFailover: failing };
    const busy: Partial<World>[] = [
      { plan: { actions: [{ type: 'redis.move-slots' }] } },
      { plan: { condition: { type: 'RedisReady', status: 'True', reason: 'RollingOut', message: '' } } },
      { plan: { objects: [...SETS, 'acme-redis-2'].map((name) => setOf(name, '1Gi')) } },
      { status: { redis } },
      { deleting: true },
    ];
    for (const world of busy)
      expect(plan({ claims: '2Gi', ...world }).removed, JSON.stringify(world)).to.deep.equal([]);
  });

  it('stay where their class does not let them grow, which is said', () => {
    const { patched, removed, condition } = plan({ claims: '1Gi', expands: false });
    expect({ patched, removed }).to.deep.equal({ patched: [], removed: [] });
    expect(condition).to.include({ status: 'True', reason: 'StorageChangePending', degraded: true });
    expect(condition.message).to.contain('StorageClass fast does not allow expansion');
  });

  it('are those of the servers; a Sentinel needs no more than it has', () => {
    const sets = [setOf('acme-redis', '1Gi', 'server'), setOf('acme-redis-sentinel', '100Mi', 'sentinel')];
    expect(plan({ sets, claims: '1Gi' }).patched).to.deep.equal(['data-acme-redis-0']);
  });
});
