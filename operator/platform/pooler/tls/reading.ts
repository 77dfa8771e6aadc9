/** What a pod of a pooler with TLS says of it. */
export interface PoolerTlsReading {
  /** The certificate that it shows to whoever connects, by its id. */
  readonly presented: string;
  /** The bundle that came with the settings that it runs with, by its key, see names.ts. */
  readonly bundle: string;
  /** It takes no client without TLS. */
  readonly demands: boolean;
  /** Who is connected without TLS: role and application name. */
  readonly plainClients: readonly string[];
}
