import type { Listening } from './names.ts';

/** One node, as far as TLS goes. */
export interface TlsNode {
  readonly name: string;
  /** As its pod was made. */
  readonly listens: Listening;
  /** It was seen to serve with TLS. */
  readonly serves: boolean;
}

/** What is seen. */
export interface TlsFacts {
  readonly wanted: boolean;
  /** The nodes' certificate is there. */
  readonly issued: boolean;
  /** How pods of the newest template listen; undefined while there is none. */
  readonly template: Listening | undefined;
  readonly nodes: readonly TlsNode[];
  /** The application has been told an address. */
  readonly published: boolean;
  /** It is one with TLS. */
  readonly used: boolean;
  /** Every pod of the application has the bundle. */
  readonly mounted: boolean;
  /** Every pod of the application has the newest address. */
  readonly current: boolean;
  /** Clients that are connected without TLS, each by a name that stays the same; undefined while that is not known. */
  readonly plainClients: readonly string[] | undefined;
}

/** What is to be, one step from what is. */
export interface TlsPhases {
  /** How pods of the newest template listen. */
  readonly listen: Listening;
  /** The application is told the address with TLS. */
  readonly use: boolean;
  /** How far it is and what keeps the last step from being taken; undefined when all are. */
  readonly progress?: string;
}

/**
 * Pure: turns TLS on and off under clients that are connected. Nodes listen with and without before anybody is told of it; the application gets the bundle,
 * then the address with TLS; and only when nobody is connected without, nodes stop listening for that; and backwards. A cluster that is new begins at the end.
 */
export function tlsPhases(facts: TlsFacts): TlsPhases {
  return facts.wanted ? windingIn(facts) : windingOut(facts);
}

function windingIn(facts: TlsFacts): TlsPhases {
  const { issued, template, nodes, published, used, mounted, current, plainClients } = facts;
  const isNew = template === undefined && current && (used || !published);
  if (isNew || template === 'tls') return { listen: 'tls', use: true };
  const allServe = nodes.length > 0 && nodes.every(serves);
  if (allServe && used && current && plainClients?.length === 0) return { listen: 'tls', use: true };
  return {
    listen: issued || template === 'both' ? 'both' : 'plain',
    use: used || (allServe && mounted),
    progress: `TLS is offered and not demanded yet: it waits for ${waiting(facts)}`,
  };
}

function windingOut(facts: TlsFacts): TlsPhases {
  const { template = 'plain', nodes } = facts;
  const isOffered = template !== 'plain' || nodes.some(({ listens }) => listens !== 'plain');
  if (!isOffered) return { listen: 'plain', use: false };
  const { used, current } = facts;
  const demanding = nodes.filter(({ listens }) => listens === 'tls');
  const isDemanded = template === 'tls' || demanding.length > 0;
  if (!used && current && !isDemanded) return { listen: 'plain', use: false };
  const what =
    demanding.length > 0
      ? `${namesOf(demanding)} to take clients without it`
      : 'the pods of the application to do without it';
  return {
    listen: 'both',
    use: used && isDemanded,
    progress: `TLS is being turned off, and still offered: it waits for ${what}`,
  };
}

function serves(node: TlsNode): boolean {
  return node.listens !== 'plain' && node.serves;
}

function waiting({ issued, nodes, used, mounted, current, plainClients }: TlsFacts): string {
  if (!issued) return 'the certificate';
  const behind = nodes.filter((node) => !serves(node));
  if (behind.length > 0) return `${namesOf(behind)} to serve with it`;
  if (!mounted) return 'the pods of the application to have the authority';
  if (!used || !current) return 'the pods of the application to use it';
  return plainClients === undefined || plainClients.length === 0
    ? 'the nodes to be asked who is connected'
    : `clients that are connected without it: ${plainClients.join(', ')}`;
}

function namesOf(nodes: readonly TlsNode[]): string {
  return nodes.map(({ name }) => name).join(', ');
}
