import { expect } from 'chai';
import { resources } from '../../kube/resources.ts';
import type { KubeObject, Resource } from '../../kube/types.ts';
import type { Children } from './component.ts';
import { unseenWorkloads } from './unseen.ts';

/** Children of which the StatefulSets have these generations, and their controllers have seen those. */
function children(sets: Readonly<Record<string, readonly [number, number | undefined]>>): Children {
  const list = (resource: Resource): KubeObject[] =>
    resource !== resources.statefulSets
      ? []
      : Object.entries(sets).map(([name, [generation, observedGeneration]]) => ({
          apiVersion: 'apps/v1',
          kind: 'StatefulSet',
          metadata: { name, generation },
          ...(observedGeneration === undefined ? {} : { status: { observedGeneration } }),
        }));
  return { list, get: () => undefined } as unknown as Children;
}

describe('workloads whose controllers are behind', () => {
  it('are those whose status is of an earlier generation', () => {
    expect(unseenWorkloads(children({ seen: [2, 2], behind: [3, 2] }), [])).to.deep.equal(['StatefulSet behind']);
  });

  it('are those that were changed a moment ago, whatever the cache has, once each', () => {
    const changed = ['StatefulSet b', 'StatefulSet a', 'ConfigMap c'];
    expect(unseenWorkloads(children({ a: [2, 1], b: [2, 2] }), changed)).to.deep.equal([
      'StatefulSet a',
      'StatefulSet b',
    ]);
  });

  it('are none that are new, of which their components miss the pods', () => {
    expect(unseenWorkloads(children({ fresh: [1, undefined] }), [])).to.deep.equal([]);
  });
});
