import { type Node, type Pod, resources } from '../../kube/resources.ts';
import type { Scope } from './component.ts';

/** Whether no pod is to be put on this pod's node any more, as before a drain. */
export function isCordoned({ children }: Pick<Scope, 'children'>, pod: Pod): boolean {
  const name = pod.spec?.nodeName;
  if (name === undefined) return false;
  return children.get<Node>({ resource: resources.nodes, name })?.spec?.unschedulable === true;
}
