import type { ResourceRequirements, Storage } from '../core/effective.ts';
import { canonicalQuantity, compareQuantities } from './quantity.ts';

type Amounts = Record<string, string>;

interface ResourcesSpec {
  readonly requests?: Readonly<Record<string, string | number>>;
  readonly limits?: Readonly<Record<string, string | number>>;
}

/**
 * The tier's resources with the user's figures on top. Where one given figure and one from the tier contradict each other, the given
 * one holds: a lower limit takes the request along, a higher request the limit.
 */
export function resolveResources(tier: ResourceRequirements, spec: ResourcesSpec | undefined): ResourceRequirements {
  const requests = { ...tier.requests, ...canonical(spec?.requests) };
  const limits = { ...tier.limits, ...canonical(spec?.limits) };
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit === undefined || compareQuantities(request, limit) <= 0) continue;
    if (spec?.limits?.[name] === undefined) limits[name] = request;
    else requests[name] = limit;
  }
  return { requests, limits };
}

function canonical(amounts: Readonly<Record<string, string | number>> = {}): Amounts {
  return Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, canonicalQuantity(amount)]));
}

interface StorageSpec {
  readonly size?: string;
  readonly storageClassName?: string;
}

export function resolveStorage(tierSize: string, spec: StorageSpec | undefined): Storage {
  const { size = tierSize, storageClassName } = spec ?? {};
  return { size: canonicalQuantity(size), ...(storageClassName === undefined ? {} : { storageClassName }) };
}
