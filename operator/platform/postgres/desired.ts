import type { StatefulSet } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import type { EffectivePostgres } from '../core/effective.ts';
import type { Platform } from '../core/platform.ts';
import { patroniFile } from './patroni-file.ts';
import { patroniAccess } from './rbac.ts';
import { disruptionBudget, services } from './services.ts';
import { liveClaim, statefulSet } from './statefulset.ts';
import type { TlsPhases } from './tls/phases.ts';

/**
 * Every object of Postgres in full, in the order in which they need each other. `replicas` may be more than is wanted while members
 * cannot be taken away yet; `live` is what there is.
 */
export function desiredObjects(
  platform: Platform,
  postgres: EffectivePostgres,
  replicas: number,
  live: StatefulSet | undefined,
  tls?: TlsPhases,
): KubeObject[] {
  // A member that is being taken away needs its rights to the end.
  const members = Math.max(replicas, live?.spec?.replicas ?? 0, live?.status?.replicas ?? 0);
  return [
    ...patroniAccess(platform, members),
    patroniFile(platform, postgres, tls),
    ...services(platform),
    disruptionBudget(platform),
    statefulSet(platform, postgres, { replicas, claim: liveClaim(live), tls: tls?.offer ?? false }),
  ];
}
