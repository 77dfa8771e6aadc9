/** Freezes plain JSON in place, so that whoever writes to an object of a cache gets a TypeError instead of poisoning the cache. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
