import { expect } from 'chai';
import type { KubeClient } from '../../kube/client.ts';
import { errorFromStatus } from '../../kube/errors.ts';
import { resources } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import type { Applier } from '../../runtime/applier.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { scopeWith } from '../postgres/fixtures.ts';
import { carryOut } from './carry-out.ts';
import type { Component, ComponentPlan, GuardedPatch, Scope } from './component.ts';

function patchOf(name: string): GuardedPatch {
  return {
    ref: { resource: resources.configMaps, namespace: 'support', name },
    guard: { resourceVersion: '7' },
    operations: [{ op: 'remove', path: '/metadata/annotations/leader' }],
  };
}

const plan: ComponentPlan = {
  objects: [],
  actions: [{ type: 'hold' }],
  patches: [patchOf('sync'), patchOf('leader')],
  remove: [{ ref: { resource: resources.pods, namespace: 'support', name: 'pod' } }],
  condition: { status: 'True', reason: 'Healthy', message: '' },
};

/** Carries the plan out with an action and a server that fail as told; what was done, in order. */
async function carriedOut(
  failing: readonly string[],
): Promise<{ done: string[]; failures: readonly string[]; bodies: unknown[] }> {
  const done: string[] = [];
  const bodies: unknown[] = [];
  const attempt = async (what: string) => {
    if (failing.includes(what)) throw new Error('no');
    done.push(what);
  };
  const client = {
    patch: async ({ name }: { name: string }, { body }: { body: unknown }) => {
      bodies.push(body);
      await attempt(`patch ${name}`);
    },
    delete: async ({ name }: { name: string }) => await attempt(`delete ${name}`),
  } as unknown as KubeClient;
  const component: Component = {
    name: 'postgres',
    dependsOn: [],
    probes: () => [],
    plan: () => plan,
    act: async ({ type }) => await attempt(type),
  };
  const hands = { client, applier: {} as Applier, logger: silentLogger };
  const { failures } = await carryOut(hands, scopeWith(), component, plan, new AbortController().signal);
  return { done, failures, bodies };
}

describe('carrying out a plan', () => {
  it('patches in order after the actions, each guarded by the version that was seen', async () => {
    const { done, bodies } = await carriedOut([]);
    expect(done).to.deep.equal(['hold', 'patch sync', 'patch leader', 'delete pod']);
    expect(bodies[0]).to.deep.equal([
      { op: 'test', path: '/metadata/resourceVersion', value: '7' },
      { op: 'remove', path: '/metadata/annotations/leader' },
    ]);
  });

  it('patches nothing when an action has failed', async () => {
    expect((await carriedOut(['hold'])).done).to.deep.equal(['delete pod']);
  });

  it('stops at the first patch that fails, and says so', async () => {
    const { done, failures } = await carriedOut(['patch sync']);
    expect(done).to.deep.equal(['hold', 'delete pod']);
    expect(failures).to.deep.equal(['change ConfigMap sync: no']);
  });

  it('goes on where the very object is gone that was meant, and nowhere else', async () => {
    const failuresWith = async (field: string): Promise<readonly string[]> => {
      const apply = async () => {
        const details = { causes: [{ reason: 'FieldValueInvalid', field }] };
        throw errorFromStatus({ code: 422, reason: 'Invalid', message: 'field is immutable', details });
      };
      const hands = { client: {} as KubeClient, applier: { apply } as unknown as Applier, logger: silentLogger };
      const component: Component = { name: 'postgres', dependsOn: [], probes: () => [], plan: () => plan };
      const pod: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'pod' } };
      const wanted = { ...plan, objects: [pod], actions: [], patches: [], remove: [] };
      return (await carryOut(hands, scopeWith(), component, wanted, new AbortController().signal)).failures;
    };
    expect(await failuresWith('metadata.uid')).to.deep.equal([]);
    expect(await failuresWith('spec.nodeName')).to.have.length(1);
  });

  it('applies to what the plan was made of, whatever the cache has learnt by the time', async () => {
    const object = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
    const scope = scopeWith();
    const cache = new Map(['first', 'second'].map((name) => [name, object(name)]));
    const children = { ...scope.children, get: ({ name }: { name: string }) => cache.get(name) } as Scope['children'];
    const changed: (string | undefined)[] = [];
    const apply = async (intent: KubeObject, live: KubeObject | undefined) => {
      changed.push(live?.metadata.name);
      cache.clear();
      return { object: intent, changed: true };
    };
    const hands = { client: {} as KubeClient, applier: { apply } as unknown as Applier, logger: silentLogger };
    const component: Component = { name: 'postgres', dependsOn: [], probes: () => [], plan: () => plan };
    const wanted = { ...plan, objects: [...cache.values()], actions: [], patches: [], remove: [] };
    await carryOut(hands, { ...scope, children }, component, wanted, new AbortController().signal);
    expect(changed).to.deep.equal(['first', 'second']);
  });

  it('tells which objects have another specification now, and not which have other labels', async () => {
    const object = (name: string, generation: number): KubeObject => ({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name, generation },
    });
    const scope = scopeWith();
    const live = (name: string): KubeObject | undefined => (name === 'new' ? undefined : object(name, 3));
    const children = { ...scope.children, get: ({ name }: { name: string }) => live(name) } as Scope['children'];
    const after: Record<string, number> = { new: 1, respecified: 4, relabelled: 3 };
    const apply = async ({ metadata }: KubeObject) => ({
      object: object(metadata.name, after[metadata.name] ?? 0),
      changed: true,
    });
    const component: Component = { name: 'postgres', dependsOn: [], probes: () => [], plan: () => plan };
    const wanted = {
      ...plan,
      actions: [],
      patches: [],
      remove: [],
      objects: Object.keys(after).map((name) => object(name, 0)),
    };
    const hands = { client: {} as KubeClient, applier: { apply } as unknown as Applier, logger: silentLogger };
    const { changed } = await carryOut(hands, { ...scope, children }, component, wanted, new AbortController().signal);
    expect(changed).to.deep.equal(['StatefulSet respecified']);
  });
});
