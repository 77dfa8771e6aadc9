import type { KubeObject } from '../../kube/types.ts';
import type { EffectivePostgres } from '../core/effective.ts';
import type { Platform } from '../core/platform.ts';
import type { ClaimTemplate } from '../core/storage-growth.ts';
import { patroniFile } from './patroni-file.ts';
import { patroniAccess } from './rbac.ts';
import { disruptionBudgets, services } from './services.ts';
import { statefulSet } from './statefulset.ts';
import type { TlsPhases } from './tls/phases.ts';

/** What of what there is counts. */
export interface Shape {
  /** May be more than is wanted while members cannot be taken away yet. */
  readonly replicas: number;
  /** How many there may be at most, now or before. */
  readonly members?: number;
  /** The claim template in force. */
  readonly claim?: ClaimTemplate | undefined;
  /** False while the StatefulSet is to be made anew: then it is not held on to. */
  readonly isSetApplied?: boolean;
  /** Absent: without TLS. */
  readonly tls?: TlsPhases;
}

/** Every object of Postgres in full, in the order in which they need each other. */
export function desiredObjects(
  platform: Platform,
  postgres: EffectivePostgres,
  { replicas, members = replicas, claim, isSetApplied = true, tls }: Shape,
): KubeObject[] {
  return [
    ...patroniAccess(platform, members),
    patroniFile(platform, postgres, tls),
    ...services(platform),
    ...disruptionBudgets(platform, replicas),
    ...(isSetApplied ? [statefulSet(platform, postgres, { replicas, claim, tls: tls?.offer ?? false })] : []),
  ];
}
