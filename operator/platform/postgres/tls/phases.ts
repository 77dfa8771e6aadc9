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

/** One pod of a pooler, as far as TLS goes. */
export interface TlsPooler {
  /** Of its Deployment: its own is random. */
  readonly name: string;
  /** It is of a template with TLS, so it takes it from its clients and follows no server without. */
  readonly offers: boolean;
  /** It was seen to serve with TLS. */
  readonly serves: boolean;
  /** It takes no client without TLS, as far as is known. */
  readonly demands: boolean;
  /** Clients that are connected to it without TLS, each by a name that stays the same. */
  readonly plainClients: readonly string[];
}

/** What is seen. */
export interface TlsFacts {
  readonly wanted: boolean;
  readonly members: readonly TlsMember[];
  /** None without a pooler. */
  readonly poolers: readonly TlsPooler[];
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
  /** The poolers' pods have a certificate, take their clients with TLS, and demand it of Postgres. */
  readonly pool: boolean;
  /** DATABASE_URL demands TLS. */
  readonly use: boolean;
  /** Postgres accepts nobody without TLS, and neither do poolers. */
  readonly demand: boolean;
  /** How far it is and what keeps the last step from being taken; undefined when all are. */
  readonly progress?: string;
}

/**
 * Pure: turns TLS on and off under clients that are connected. Nothing is demanded of a client before it does it already, and nothing taken away that it
 * still uses: the members offer TLS, then the poolers, which are clients of the members; the application gets the bundle, then the address that demands
 * TLS, and only when no client is without it Postgres and the poolers demand it; and backwards. A platform that is new begins with all of it but the last.
 */
export function tlsPhases(facts: TlsFacts): TlsPhases {
  const { wanted, members, poolers, used, mounted, current, demanded } = facts;
  const allOffer = members.every(({ offers }) => offers);
  if (!wanted) {
    const use = used && (demanded || poolers.some(({ demands }) => demands));
    const isAskedFor = used || !current;
    const isPooled = poolers.some(({ offers }) => offers);
    // One that is put in now serves an address that still demands it.
    const pool = isAskedFor && (isPooled || (members.length > 0 && allOffer));
    const isNeeded = isAskedFor || isPooled || members.some(({ verifies }) => verifies);
    const offer = isNeeded && members.some(({ offers }) => offers);
    const progress = `TLS is being turned off, and still offered: it waits for ${unwinding(facts)}`;
    return { offer, verify: false, pool, use, demand: false, ...(offer ? { progress } : {}) };
  }
  const servers = [...members, ...poolers];
  const allServe = servers.every(({ offers, serves }) => offers && serves);
  const use = used || (allServe && mounted);
  const plain = [...new Set(servers.flatMap(({ plainClients }) => plainClients))].toSorted();
  const isQuiet = members.length > 0 && allServe && current && plain.length === 0;
  const demand = used && (demanded || isQuiet);
  const progress = `TLS is offered and not demanded yet: it waits for ${waiting(facts, plain)}`;
  return { offer: true, verify: allOffer, pool: allOffer, use, demand, ...(demand ? {} : { progress }) };
}

function unwinding({ members, poolers, used, current }: TlsFacts): string {
  const demanding = namesOf(poolers.filter(({ demands }) => demands));
  if (used && demanding !== '') return `${demanding} to take clients without it`;
  if (used || !current) return 'the pods of the application to do without it';
  const pooled = namesOf(poolers.filter(({ offers }) => offers));
  if (pooled !== '') return `${pooled} to do without it`;
  return `${namesOf(members.filter(({ verifies }) => verifies))} to follow the primary without it`;
}

function waiting({ members, poolers, used, mounted, current }: TlsFacts, plain: readonly string[]): string {
  const behind = namesOf([...members, ...poolers].filter(({ offers, serves }) => !offers || !serves));
  if (behind !== '') return `${behind} to serve with it`;
  if (!mounted) return 'the pods of the application to have the authority';
  if (!used || !current) return 'the pods of the application to use it';
  return plain.length === 0 ? 'the members to be asked' : `clients that are connected without it: ${plain.join(', ')}`;
}

function namesOf(servers: readonly { readonly name: string }[]): string {
  return [...new Set(servers.map(({ name }) => name))].join(', ');
}
