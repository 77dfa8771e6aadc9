import type { MoveSlotsAction, RedisAction } from '../actions.ts';
import type { Address, ClusterNode, OpenSlot } from '../cluster-nodes.ts';
import type { RedisPod } from '../observe.ts';
import type { NodeView } from '../probe.ts';
import { intersectSlots, listSlots, mergeSlots, overlaps, type SlotRange, splitSlots, withoutSlots } from '../slots.ts';

/** What a node keeps on its volume. */
interface NodeState {
  readonly id: string;
  role: 'primary' | 'replica';
  primaryId: string | undefined;
  slots: SlotRange[];
  epoch: number;
  hasKeys: boolean;
  open: OpenSlot[];
  /** Other nodes, at the addresses where they were last met, and what they are said to hold. */
  readonly peers: Map<string, { port: number; slots: SlotRange[]; epoch: number }>;
}

interface Seat {
  readonly name: string;
  readonly shard: number;
  readonly ordinal: number;
  port: number;
  up: boolean;
  node: NodeState;
}

/** Slots that one move action takes at once, of which there are so few that every plan meets some that are left. */
const SLOTS_A_MOVE = 900;

const SETTINGS = { maxmemory: '67108864', 'maxmemory-policy': 'allkeys-lru' };

/**
 * A Redis Cluster reduced to what the decisions depend on: who knows whom at which address, who holds which slots, where keys are.
 * Throws whenever an action would cost data or tear a running cluster apart, which the engine may or may not refuse.
 */
export class ClusterModel {
  readonly seats: Seat[] = [];
  #ids = 0;
  #ports = 7000;
  #epoch = 0;

  constructor(shards: number, podsPerShard: number) {
    for (let shard = 0; shard < shards; shard++) this.addShard(shard, podsPerShard);
  }

  addShard(shard: number, pods: number): void {
    for (let ordinal = 0; ordinal < pods; ordinal++)
      this.seats.push({
        name: `acme-redis-${shard}-${ordinal}`,
        shard,
        ordinal,
        port: 0,
        up: false,
        node: this.#blank(),
      });
  }

  /** Throws where something would be out of reach with the shard. */
  removeShard(shard: number): void {
    for (const { name, node } of this.seats.filter((seat) => seat.shard === shard))
      if (node.slots.length > 0 || node.hasKeys) throw new Error(`${name} holds something and is removed`);
    const left = this.seats.filter((seat) => seat.shard !== shard);
    this.seats.splice(0, this.seats.length, ...left);
  }

  start(seat: Seat): void {
    if (seat.up) return;
    seat.up = true;
    seat.port = ++this.#ports;
  }

  stop(seat: Seat): void {
    seat.up = false;
  }

  loseVolume(seat: Seat): void {
    seat.up = false;
    seat.node = this.#blank();
  }

  /** Applications write: every primary with slots gets keys, and the replicas that follow it copy them. */
  write(): void {
    for (const { node } of this.#up()) if (node.slots.length > 0) node.hasKeys = true;
    this.#replicate();
  }

  /** What the nodes do by themselves in a few seconds: exchange what they know, elect, step down, copy. */
  settle(): void {
    for (let round = 0; round < 3; round++) this.#gossip();
    this.#elect();
    this.#stepDown();
    this.#gossip();
    this.#replicate();
  }

  pods(): RedisPod[] {
    return this.#up().map((seat) => ({
      name: seat.name,
      uid: `${seat.name}@${seat.port}`,
      shard: seat.shard,
      ordinal: seat.ordinal,
      address: addressOf(seat.port),
      deleting: false,
      ended: false,
      outdated: false,
      answer: this.#view(seat),
    }));
  }

  /** @param steps after so many of the steps of a move the operator is killed. */
  carryOut(action: RedisAction, steps = Number.POSITIVE_INFINITY): void {
    const seat = this.#up().find(({ node }) => node.id === action.node.id);
    if (seat === undefined) throw new Error(`${action.type} is for a node that is not up`);
    const { node } = seat;
    switch (action.type) {
      case 'redis.add-slots': {
        const holder = this.seats.find((other) => overlaps(other.node.slots, action.slots));
        if (holder !== undefined) throw new Error(`slots of ${holder.name} are given to ${seat.name} too`);
        if (node.hasKeys || node.role === 'replica') throw new Error(`${seat.name} is no place for slots`);
        node.slots.push(...action.slots);
        return;
      }
      case 'redis.set-epoch':
        if (node.peers.size > 0 || node.epoch !== 0) throw new Error(`${seat.name} may not choose its epoch`);
        node.epoch = action.epoch;
        this.#epoch = Math.max(this.#epoch, action.epoch);
        return;
      case 'redis.meet':
        for (const peer of action.peers) this.#introduce(seat, peer.id);
        return;
      case 'redis.replicate':
        if (node.role === 'primary' && (node.hasKeys || node.slots.length > 0))
          throw new Error(`${seat.name} would lose what it holds`);
        // As the engine: who has not heard of the primary refuses, and is asked again later.
        if (!node.peers.has(action.primaryId)) return;
        node.role = 'replica';
        node.primaryId = action.primaryId;
        return;
      case 'redis.forget':
        for (const id of action.ids) {
          if (this.seats.some((other) => other.node.id === id)) throw new Error(`${id} is alive and forgotten`);
          node.peers.delete(id);
        }
        return;
      case 'redis.move-slots':
        this.#move(seat, action, steps);
        return;
      case 'redis.close-slots': {
        const closed = listSlots(action.slots);
        node.open = node.open.filter(({ slot }) => !closed.includes(slot));
        return;
      }
      case 'redis.return-keys':
        if (node.slots.length > 0 || node.role === 'replica') throw new Error(`${seat.name} gives its own keys away`);
        node.hasKeys = false;
        return;
      case 'redis.adopt-slots': {
        const holder = this.seats.find((other) => overlaps(other.node.slots, action.slots));
        if (holder !== undefined) throw new Error(`slots of ${holder.name} are given to others`);
        if (!action.evenEmpty) return;
        node.slots = mergeSlots([...node.slots, ...action.slots]);
        node.epoch = ++this.#epoch;
        return;
      }
      case 'redis.retire': {
        const primary = this.seats.find((other) => other.node.id === node.primaryId);
        if (node.hasKeys || node.slots.length > 0 || (primary?.node.slots.length ?? 0) > 0)
          throw new Error(`${seat.name} is retired with what it holds`);
        seat.node = this.#blank();
        return;
      }
      case 'redis.failover': {
        const old = this.#up().find((other) => other.node.id === node.primaryId);
        if (action.forced !== undefined || old === undefined) throw new Error(`${seat.name} is told to take over`);
        const { slots, hasKeys } = old.node;
        Object.assign(node, { role: 'primary', primaryId: undefined, slots, hasKeys, epoch: ++this.#epoch });
        Object.assign(old.node, { role: 'replica', primaryId: node.id, slots: [] });
        return;
      }
      case 'redis.configure':
        throw new Error(`${action.type} is not wanted here`);
    }
  }

  #move(giver: Seat, action: MoveSlotsAction, steps: number): void {
    const taker = this.#up().find(({ node }) => node.id === action.to.id);
    // As the engine: who is no primary, or does not know the other, refuses.
    if (taker === undefined || giver.node.role !== 'primary' || taker.node.role !== 'primary') return;
    if (!this.#reaches(giver, taker) || !this.#reaches(taker, giver)) return;
    const [slots] = splitSlots(intersectSlots(action.slots, giver.node.slots), SLOTS_A_MOVE);
    const held = withoutSlots(slots, taker.node.slots);
    const [noted] = splitSlots(held, 3);
    const note = (seat: Seat, way: OpenSlot['way'], peer: string) => {
      const open = listSlots(noted).map((slot) => ({ slot, way, peer }));
      seat.node.open = [...seat.node.open.filter(({ slot }) => !open.some((other) => other.slot === slot)), ...open];
    };
    const close = (seat: Seat) => {
      seat.node.open = seat.node.open.filter(({ slot }) => !overlaps(slots, [[slot, slot]]));
    };
    const work = [
      () => note(taker, 'importing', giver.node.id),
      () => note(giver, 'migrating', taker.node.id),
      () => {
        taker.node.hasKeys ||= giver.node.hasKeys;
      },
      () => {
        close(taker);
        taker.node.slots = mergeSlots([...taker.node.slots, ...slots]);
        if (taker.node.epoch < this.#epoch) taker.node.epoch = ++this.#epoch;
      },
      () => {
        close(giver);
        lose(giver.node, slots);
        for (const seat of this.#up()) if (this.#reaches(seat, taker)) tell(seat.node, taker);
      },
    ];
    for (const step of work.slice(0, steps)) step();
  }

  #introduce(seat: Seat, id: string): void {
    const other = this.#up().find(({ node }) => node.id === id);
    if (other === undefined) return;
    tell(seat.node, other);
    tell(other.node, seat);
  }

  #blank(): NodeState {
    const id = `node-${String(this.#ids++).padStart(4, '0')}`;
    return {
      id,
      role: 'primary',
      primaryId: undefined,
      slots: [],
      epoch: 0,
      hasKeys: false,
      open: [],
      peers: new Map(),
    };
  }

  #up(): Seat[] {
    return this.seats.filter((seat) => seat.up);
  }

  #reaches(from: Seat, to: Seat): boolean {
    return from.up && to.up && from.node.peers.get(to.node.id)?.port === to.port;
  }

  #gossip(): void {
    for (const a of this.#up())
      for (const b of this.#up()) {
        if (a === b || !this.#reaches(a, b)) continue;
        tell(a.node, b);
        tell(b.node, a);
        for (const [id, peer] of b.node.peers) {
          const alive = this.#up().find(({ node }) => node.id === id);
          const isLive = alive !== undefined && alive.port === peer.port;
          if (id !== a.node.id && isLive && b.node.peers.has(id)) tell(a.node, alive);
        }
      }
  }

  #elect(): void {
    const primaries = this.seats.filter(({ node }) => node.slots.length > 0);
    for (const failed of primaries) {
      if (failed.up) continue;
      const heir = this.#up().find(({ node }) => node.role === 'replica' && node.primaryId === failed.node.id);
      // It takes what it has heard its primary to have, which may not be all.
      if (heir !== undefined) this.#promote(heir, heir.node.peers.get(failed.node.id)?.slots ?? [], primaries);
    }
    // The primary's volume is gone, so only the others remember which slots it had.
    for (const heir of this.#up()) {
      const { primaryId, role, peers } = heir.node;
      if (role !== 'replica' || primaryId === undefined || this.seats.some(({ node }) => node.id === primaryId))
        continue;
      this.#promote(heir, peers.get(primaryId)?.slots ?? [], primaries);
    }
  }

  #promote(heir: Seat, slots: readonly SlotRange[], primaries: readonly Seat[]): void {
    const voters = primaries.filter((voter) => this.#reaches(heir, voter)).length;
    if (slots.length === 0 || voters * 2 <= primaries.length - 1) return;
    const { node } = heir;
    node.role = 'primary';
    node.primaryId = undefined;
    node.slots = [...slots];
    node.epoch = ++this.#epoch;
  }

  /** A primary that hears of its slots with a newer epoch follows who has them. */
  #stepDown(): void {
    for (const old of this.#up())
      for (const successor of this.#up()) {
        if (old === successor || !this.#reaches(successor, old) || old.node.epoch >= successor.node.epoch) continue;
        if (old.node.role !== 'primary' || !overlaps(old.node.slots, successor.node.slots)) continue;
        const isTakeover = listSlots(withoutSlots(successor.node.slots, old.node.slots)).length === 0;
        lose(old.node, successor.node.slots);
        if (old.node.slots.length > 0 || !isTakeover) continue;
        old.node.role = 'replica';
        old.node.open = [];
        old.node.primaryId = successor.node.id;
      }
  }

  #replicate(): void {
    for (const replica of this.#up()) {
      if (replica.node.role !== 'replica') continue;
      const primary = this.#up().find(({ node }) => node.id === replica.node.primaryId);
      if (primary !== undefined && this.#reaches(replica, primary)) replica.node.hasKeys = primary.node.hasKeys;
    }
  }

  #view(seat: Seat): NodeView {
    const { node } = seat;
    const primary = this.#up().find((other) => other.node.id === node.primaryId);
    const holders = this.seats.filter((other) => other.node.slots.length > 0);
    const reached = holders.filter((other) => other === seat || this.#reaches(seat, other)).length;
    return {
      kind: 'view',
      id: node.id,
      role: node.role,
      linkUp: primary !== undefined && this.#reaches(seat, primary),
      empty: !node.hasKeys,
      clusterState: holders.length > 0 && reached * 2 > holders.length ? 'ok' : 'fail',
      configEpoch: this.#self(seat).configEpoch,
      openSlots: node.open,
      nodes: [this.#self(seat), ...[...node.peers].map(([id, peer]) => this.#peer(id, peer))],
      settings: SETTINGS,
    };
  }

  #self({ node, port }: Seat): ClusterNode {
    const { id, slots, primaryId } = node;
    // Of a replica the engine shows its primary's epoch.
    const epoch = this.seats.find((other) => other.node.id === primaryId)?.node.epoch ?? node.epoch;
    return {
      id,
      address: addressOf(port),
      flags: ['myself', node.role === 'primary' ? 'master' : 'slave'],
      configEpoch: epoch,
      slots,
      ...(primaryId === undefined ? {} : { primaryId }),
    };
  }

  #peer(id: string, peer: { port: number; slots: SlotRange[]; epoch: number }): ClusterNode {
    const live = this.#up().find((other) => other.node.id === id);
    const flags = live !== undefined && live.port === peer.port ? [] : ['fail'];
    const primaryId = live?.node.primaryId;
    return {
      id,
      address: addressOf(peer.port),
      flags,
      configEpoch: peer.epoch,
      slots: peer.slots,
      ...(primaryId === undefined ? {} : { primaryId }),
    };
  }
}

/** With the last of its slots a node has lost the last of its keys. */
function lose(node: NodeState, slots: readonly SlotRange[]): void {
  node.slots = withoutSlots(node.slots, slots);
  if (node.slots.length === 0) node.hasKeys = false;
}

/** A node hears from another where it is and what it holds; whoever else it thought to hold that does so no longer. */
function tell(listener: NodeState, speaker: Seat): void {
  if (listener.id === speaker.node.id) return;
  const { id, slots, epoch } = speaker.node;
  listener.peers.set(id, { port: speaker.port, slots: [...slots], epoch });
  for (const [other, peer] of listener.peers)
    if (other !== id && peer.epoch < epoch && overlaps(peer.slots, slots)) peer.slots = withoutSlots(peer.slots, slots);
}

function addressOf(port: number): Address {
  return { host: '10.0.0.1', port };
}
