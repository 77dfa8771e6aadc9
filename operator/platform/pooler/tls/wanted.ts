import type { Scope } from '../../core/component.ts';
import { postgresBundle } from '../../postgres/target.ts';
import { tlsOf } from '../../postgres/tls/facts.ts';
import { offersTls } from '../../postgres/tls/names.ts';
import { tlsPods } from './facts.ts';

/** What of TLS there is to be for the poolers. */
export interface PoolerTls {
  /** New pods have it; else there are some left that do, and whose files must stay. */
  readonly offer: boolean;
  /** Nobody is let in without. */
  readonly demand: boolean;
  /** Whom they trust (PEM). */
  readonly bundle: string;
}

/** Undefined while no pod of a pooler has or gets TLS. */
export function poolerTls(scope: Scope): PoolerTls | undefined {
  const { pool: offer, demand } = tlsOf(scope);
  if (!offer && !tlsPods(scope).some(({ pod }) => offersTls(pod))) return undefined;
  return { offer, demand, bundle: postgresBundle(scope) };
}
