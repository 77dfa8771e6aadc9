import type { KubeObject, Resource } from '../../kube/types.ts';
import { childKinds } from './children.ts';
import type { Children } from './component.ts';
import { KIND } from './names.ts';
import type { Platform } from './platform.ts';

/**
 * What a deleted platform of the same name has left to the garbage collector, which has yet to come by. None of it is this platform's: a
 * password that is about to go is as good as none.
 */
export function leftoversOf({ metadata }: Platform, children: Children): KubeObject[] {
  const isLeft = ({ metadata: { ownerReferences } }: KubeObject): boolean => {
    const owner = ownerReferences?.find(({ controller }) => controller === true);
    return owner?.kind === KIND && owner.name === metadata.name && owner.uid !== metadata.uid;
  };
  return childKinds.flatMap((kind) => children.list(kind).filter(isLeft));
}

/** The children without some of them. */
export function without(children: Children, left: readonly KubeObject[]): Children {
  if (left.length === 0) return children;
  const gone = new Set(left);
  return {
    ...children,
    get: <T extends KubeObject>(ref: Parameters<Children['get']>[0]) => {
      const found = children.get<T>(ref);
      return found !== undefined && gone.has(found) ? undefined : found;
    },
    list: <T extends KubeObject>(resource: Resource, component?: Parameters<Children['list']>[1]) =>
      children.list<T>(resource, component).filter((object) => !gone.has(object)),
  };
}

/** For a person: `Secret acme-redis`, and how many more there are. */
export function nameLeftovers(left: readonly KubeObject[]): string {
  const [first] = left;
  if (first === undefined) return '';
  const more = left.length === 1 ? '' : ` and ${left.length - 1} more`;
  return `${first.kind} ${first.metadata.name}${more}`;
}
