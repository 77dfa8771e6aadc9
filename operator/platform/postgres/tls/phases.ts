/** One member, as far as TLS goes. */
export interface TlsMember {
  readonly name: string;
  /** Its pod is of a template with TLS. */
  readonly offers: boolean;
  /** It was seen to serve with TLS. */
  readonly serves: boolean;
  /** Follows its primary only with a certificate that it trusts. */
  readonly verifies: boolean;
  /** Clients that are connected to it without TLS, each by a name that stays the same. */
  readonly plainClients: readonly string[];
}

/** What is seen. */
export interface TlsFacts {
  readonly wanted: boolean;
  readonly members: readonly TlsMember[];
  /** DATABASE_URL demands TLS. */
  readonly used: boolean;
  /** Every pod of the application has the bundle. */
  readonly mounted: boolean;
  /** Every pod of the application has the newest DATABASE_URL. */
  readonly current: boolean;
  /** Postgres accepts nobody without TLS. */
  readonly demanded: boolean;
}

/** What is to be, one step from what is. */
export interface TlsPhases {
  /** The members' pods have a certificate and serve with TLS whoever asks for it. */
  readonly offer: boolean;
  /** Standbys follow only a primary whose certificate they trust. */
  readonly verify: boolean;
  /** DATABASE_URL demands TLS. */
  readonly use: boolean;
  /** Postgres accepts nobody without TLS. */
  readonly demand: boolean;
  /** How far it is and what keeps the last step from being taken; undefined when all are. */
  readonly progress?: string;
}

/**
 * Pure: turns TLS on and off under clients that are connected. Nothing is demanded of a client before it does it already, and nothing taken away that it
 * still uses: the members offer TLS, the application gets the bundle, then the address that demands TLS, and only when no client is
 * without it Postgres demands it; and backwards. A platform that is new begins with all of it but the last.
 */
export function tlsPhases(facts: TlsFacts): TlsPhases {
  const { wanted, members, used, mounted, current, demanded } = facts;
  const allOffer = members.every(({ offers }) => offers);
  const allServe = allOffer && members.every(({ serves }) => serves);
  if (!wanted) {
    const use = used && demanded;
    const isNeeded = used || !current || members.some(({ verifies }) => verifies);
    const offer = isNeeded && members.some(({ offers }) => offers);
    const progress = `TLS is being turned off, and still offered: it waits for ${unwinding(facts)}`;
    return { offer, verify: false, use, demand: false, ...(offer ? { progress } : {}) };
  }
  const use = used || (allServe && mounted);
  const plain = [...new Set(members.flatMap(({ plainClients }) => plainClients))].toSorted();
  const isQuiet = members.length > 0 && allServe && current && plain.length === 0;
  const demand = used && (demanded || isQuiet);
  const progress = `TLS is offered and not demanded yet: it waits for ${waiting(facts, plain)}`;
  return { offer: true, verify: allOffer, use, demand, ...(demand ? {} : { progress }) };
}

function unwinding({ members, used, current }: TlsFacts): string {
  if (used || !current) return 'the pods of the application to do without it';
  const verifying = members.flatMap(({ name, verifies }) => (verifies ? name : []));
  return `${verifying.join(', ')} to follow the primary without it`;
}

function waiting({ members, used, mounted, current }: TlsFacts, plain: readonly string[]): string {
  const behind = members.flatMap(({ name, offers, serves }) => (offers && serves ? [] : name));
  if (behind.length > 0) return `${behind.join(', ')} to serve with it`;
  if (!mounted) return 'the pods of the application to have the authority';
  if (!used || !current) return 'the pods of the application to use it';
  return plain.length === 0 ? 'the members to be asked' : `clients that are connected without it: ${plain.join(', ')}`;
}
