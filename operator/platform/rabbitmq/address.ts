import { MANAGEMENT_PORT } from './names.ts';
import { MANAGEMENT_TLS_PORT } from './tls/names.ts';
import type { NodeTrust } from './tls/trust.ts';

/** The way to a node. */
export interface NodeAddress {
  readonly host: string;
  /** Present for a node that has TLS, which is spoken then. */
  readonly trust?: NodeTrust;
}

/** Where a node's management API is. */
export function managementAddress({ host, trust }: NodeAddress): { readonly url: string; readonly trust?: NodeTrust } {
  return trust === undefined
    ? { url: `http://${host}:${MANAGEMENT_PORT}` }
    : { url: `https://${host}:${MANAGEMENT_TLS_PORT}`, trust };
}
