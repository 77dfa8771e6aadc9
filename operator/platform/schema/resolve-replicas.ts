export interface Bounds {
  readonly minReplicas: number;
  readonly maxReplicas: number;
}

/** How many pods: a fixed number, or bounds and what to aim at within them. */
export interface Replicas<Autoscaling extends Bounds> {
  readonly replicas?: number;
  readonly autoscaling?: Autoscaling;
}

/**
 * The number of pods that was asked for: `replicas` fixes it, `autoscaling` bounds it, and without either the tier does; equal bounds of
 * a tier fix it. A bound that is given moves the other one, where that comes from the tier and would contradict it.
 */
export function resolveReplicas<A extends Bounds>(
  tier: A,
  spec: { readonly replicas?: number; readonly autoscaling?: Partial<A> } | undefined,
): Replicas<A> {
  if (spec?.replicas !== undefined) return { replicas: spec.replicas };
  const given: Partial<A> | undefined = spec?.autoscaling;
  if (given === undefined && tier.minReplicas === tier.maxReplicas) return { replicas: tier.minReplicas };
  const minReplicas = given?.minReplicas ?? Math.min(tier.minReplicas, given?.maxReplicas ?? tier.minReplicas);
  const maxReplicas = given?.maxReplicas ?? Math.max(tier.maxReplicas, minReplicas);
  return { autoscaling: { ...tier, ...given, minReplicas, maxReplicas } };
}
