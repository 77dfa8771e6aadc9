/** What a member with TLS says of it. */
export interface TlsReading {
  /** The certificate that it shows to whoever connects, by its id. */
  readonly presented: string;
  /** The certificate that is mounted. */
  readonly mounted: string | undefined;
  /** The authorities in the mounted bundle. */
  readonly trusted: readonly string[];
  /** Its mounted configuration says that a standby verifies its primary. */
  readonly fileVerifies: boolean;
  /** It is a standby, and verifies its primary. */
  readonly verifies: boolean;
  readonly inRecovery: boolean;
  /** Who is connected without TLS: role and application name. */
  readonly plainClients: readonly string[];
}
