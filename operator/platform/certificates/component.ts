import type { Component, Scope } from '../core/component.ts';
import { act } from './actions.ts';
import { decide } from './decide.ts';
import type { CertificateUse } from './use.ts';

/** The platform's own authority and what it signs. `uses` says who needs what of it. */
export function certificatesComponent(uses: (scope: Scope) => readonly CertificateUse[]): Component {
  return {
    name: 'certificates',
    dependsOn: [],
    probes: () => [],
    plan: (scope) => decide(scope, uses(scope)),
    act,
  };
}
