/** A node's part in replication by its own account. */
export interface Replication {
  readonly role: 'primary' | 'replica';
  /** Of a replica: whether it follows its primary now. Gossip may call both connected while this is down. */
  readonly linkUp: boolean;
  /**
   * Of a replica that has just lost its primary: up to where it has its data. Absent while it follows, where it has not followed since
   * its start, and after so long without that the engine would not elect it either.
   */
  readonly lostAt?: number;
}

/** As the engine's cluster-replica-validity-factor of 10 at a node timeout of 5 s, with its ping of 10 s. */
const VALIDITY_SECONDS = 60;

/** Reads the reply of `INFO replication`. */
export function readReplication(reply: string): Replication {
  const info = parseInfo(reply);
  const downSeconds = Number(info.get('master_link_down_since_seconds') ?? -1);
  const isFresh = downSeconds >= 0 && downSeconds <= VALIDITY_SECONDS;
  return {
    role: info.get('role') === 'slave' ? 'replica' : 'primary',
    linkUp: info.get('master_link_status') === 'up',
    ...(isFresh ? { lostAt: Number(info.get('slave_repl_offset')) } : {}),
  };
}

/** Lines of `name:value`, as in the replies of INFO and CLUSTER INFO. */
export function parseInfo(reply: string): Map<string, string> {
  return new Map(
    reply
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}
