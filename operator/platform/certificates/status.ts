import { resources, type Secret } from '../../kube/resources.ts';
import type { Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import type { PlatformStatus } from '../core/platform.ts';
import { type Authority, trusted } from './authority.ts';
import { readLeaf, type WantedLeaf } from './leaf.ts';
import { phaseOf, type RotationStep } from './rotation.ts';

/** The platform's certificates for its status: nothing in it changes while nothing is issued or rotated. */
export function certificateStatus(
  { children, platform }: Scope,
  authority: Authority,
  leaves: readonly WantedLeaf[],
  step: RotationStep,
): Partial<PlatformStatus> {
  const { current, rotatedFor } = authority;
  const phase = phaseOf(authority);
  const secretOf = (name: string) =>
    children.get<Secret>({ resource: resources.secrets, namespace: namespaceOf(platform), name });
  return {
    certificates: {
      authority: current.id,
      authorityExpires: current.notAfter.toISOString(),
      trusted: trusted(authority).map(({ id }) => id),
      leaves: leaves.flatMap(({ secret }) => {
        const leaf = readLeaf(secretOf(secret));
        return leaf === undefined ? [] : { name: secret, id: leaf.id, expires: leaf.notAfter.toISOString() };
      }),
      ...(phase === 'Idle' && rotatedFor === undefined
        ? {}
        : {
            rotation: {
              phase,
              ...(rotatedFor === undefined ? {} : { request: rotatedFor }),
              ...(step.type === 'wait' ? { message: `waits for ${step.for}` } : {}),
            },
          }),
    },
  };
}
