import type { SlotRange } from './slots.ts';

/** Where a node takes clients. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** One node as another one (or itself) sees it: a line of `CLUSTER NODES`, without what changes from one second to the next. */
export interface ClusterNode {
  readonly id: string;
  readonly address: Address;
  readonly flags: readonly string[];
  /** The primary that it follows; absent for a primary. */
  readonly primaryId?: string;
  readonly configEpoch: number;
  readonly slots: readonly SlotRange[];
}

/** A slot on its way between two primaries, as one of them has noted it. Only the node itself tells. */
export interface OpenSlot {
  readonly slot: number;
  readonly way: 'importing' | 'migrating';
  /** Where from, or where to. */
  readonly peer: string;
}

/** The slots that the node asked holds open, in order. */
export function parseOpenSlots(reply: string): OpenSlot[] {
  const self = reply.split('\n').find((line) => line.split(' ')[2]?.split(',').includes('myself') === true);
  return [...(self ?? '').matchAll(/\[(\d+)-([<>])-(\w+)\]/g)]
    .map(
      ([, slot, way, peer]): OpenSlot => ({
        slot: Number(slot),
        way: way === '<' ? 'importing' : 'migrating',
        peer: peer ?? '',
      }),
    )
    .toSorted((a, b) => a.slot - b.slot);
}

/**
 * Reads the reply of `CLUSTER NODES` (https://redis.io/docs/latest/commands/cluster-nodes/). Nodes in handshake are left out: their
 * names are invented and gone a moment later.
 * @throws {TypeError} for what is no such reply.
 */
export function parseClusterNodes(reply: string): ClusterNode[] {
  return reply
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine)
    .filter((node) => !node.flags.includes('handshake'))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function parseLine(line: string): ClusterNode {
  const [id, address, flags, primaryId, , , configEpoch, , ...slots] = line.split(' ');
  if (id === undefined || address === undefined || flags === undefined || configEpoch === undefined)
    throw new TypeError(`not a line of CLUSTER NODES: ${line}`);
  return {
    id,
    address: parseAddress(address),
    flags: flags.split(',').filter((flag) => flag !== 'noflags'),
    ...(primaryId === undefined || primaryId === '-' ? {} : { primaryId }),
    configEpoch: Number(configEpoch),
    // A slot on its way somewhere else stands in brackets beside the ranges that still hold it.
    slots: slots.filter((slot) => !slot.startsWith('[')).map(parseSlots),
  };
}

/** `10.0.0.1:6379@16379,host.name`; the address is empty where it is not known, and may be IPv6. */
function parseAddress(text: string): Address {
  const endpoint = text.split('@')[0] ?? '';
  const colon = endpoint.lastIndexOf(':');
  return { host: endpoint.slice(0, colon), port: Number(endpoint.slice(colon + 1)) };
}

function parseSlots(text: string): SlotRange {
  const [first, last = first] = text.split('-');
  return [Number(first), Number(last)];
}
