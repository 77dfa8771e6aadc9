/** metav1.Condition. */
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  observedGeneration?: number;
  /** When the status became what it is, RFC 3339. */
  lastTransitionTime: string;
}

export type NewCondition = Omit<Condition, 'lastTransitionTime'>;

/**
 * The conditions with one of them set; those given stay as they are. The time of transition changes only with the status, not with the
 * reason or the message. The order is kept, so that an unchanged condition is an unchanged object.
 */
export function setCondition(conditions: readonly Condition[], wanted: NewCondition, now: Date): Condition[] {
  const index = conditions.findIndex((condition) => condition.type === wanted.type);
  const before = conditions[index];
  const lastTransitionTime = before?.status === wanted.status ? before.lastTransitionTime : rfc3339(now);
  const condition: Condition = { ...wanted, lastTransitionTime };
  return before === undefined ? [...conditions, condition] : conditions.with(index, condition);
}

export function removeCondition(conditions: readonly Condition[], type: string): Condition[] {
  return conditions.filter((condition) => condition.type !== type);
}

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** metav1.Time: seconds, no fraction. */
function rfc3339(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

/** metav1.MicroTime: exactly six digits, of which a `Date` knows three. */
export function rfc3339Micro(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}
