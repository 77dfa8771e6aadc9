import type { EffectiveRedis } from '../../core/effective.ts';
import type { Address } from '../cluster-nodes.ts';
import type { SentinelAction } from './actions.ts';
import { liveServerSettings, WATCH_SETTINGS } from './config.ts';
import { isInSync, type Known, type Reading, target } from './reading.ts';
import { isSame, type Peer, type SentinelView, type ServerView, type Watched } from './views.ts';

/**
 * What the Sentinels do not do by themselves: begin, be told again what they have lost, follow to new addresses, and forget who is gone.
 * Whom they have elected is never questioned, and nobody is promoted here but the first of all.
 */
export function repairActions(redis: EffectiveRedis, reading: Reading): SentinelAction[] {
  const primary = chosenPrimary(reading);
  const watch = primary === undefined || isEarly(reading, primary) ? [] : watchActions(reading, primary.announced);
  const follow = primary === undefined ? [] : followActions(reading, primary);
  const steps = [...configure(redis, reading), ...found(reading), ...follow, ...watch];
  return steps.length > 0 || reading.primary === undefined ? steps : forget(reading, reading.primary);
}

/**
 * Whom to watch and to follow: the elected one. Where no Sentinel believes in a server that there is (they have lost what they knew, or
 * all addresses have changed), the server that was the primary, if there is no doubt which one that is.
 */
export function chosenPrimary(reading: Reading): Known<ServerView> | undefined {
  const { servers, believed, complete } = reading;
  if (reading.primary !== undefined) return reading.primary;
  if (believed !== undefined && servers.some(({ announced }) => isSame(announced, believed.address))) return undefined;
  if (!complete) return undefined;
  const primaries = servers.filter(({ view }) => view.role === 'primary');
  if (primaries.length === 1) return primaries[0];
  const followed = primaries.filter((one) => servers.some((other) => isInSync(other, one)));
  return followed.length === 1 ? followed[0] : undefined;
}

/**
 * Sentinels find replicas only by asking a primary that lives, every ten seconds. So that they know them from the first answer on, they are
 * told of a primary that none of them watches only when its replicas are there.
 */
function isEarly(reading: Reading, primary: Known<ServerView>): boolean {
  if (reading.primary !== undefined) return false;
  return reading.servers.some((node) => node !== primary && !isInSync(node, primary));
}

/** The first of servers of which none has ever had a part or a key, while no Sentinel has heard of any. */
function found({ complete, servers, believed }: Reading): SentinelAction[] {
  const [first] = servers;
  const isNew = ({ view }: Known<ServerView>) => view.role === 'replica' && view.follows === undefined && view.empty;
  if (!complete || believed !== undefined || first === undefined || !servers.every(isNew)) return [];
  return [{ type: 'sentinel.found', node: target(first) }];
}

function configure(redis: EffectiveRedis, { servers }: Reading): SentinelAction[] {
  const wanted = liveServerSettings(redis);
  return servers.flatMap((node): SentinelAction[] => {
    const changes = Object.entries(wanted).filter(([name, value]) => node.view.settings[name] !== value);
    if (changes.length === 0) return [];
    return [{ type: 'sentinel.configure', node: target(node), settings: Object.fromEntries(changes) }];
  });
}

function watchActions(reading: Reading, primary: Address): SentinelAction[] {
  return reading.sentinels.flatMap((node): SentinelAction[] => {
    const { watched } = node.view;
    const isElsewhere = watched !== undefined && !isSame(watched.address, primary);
    // One that believes in another server that there is hears from the others, or is at work on a failover.
    if (
      isElsewhere &&
      !isDeaf(watched, reading) &&
      reading.servers.some(({ announced }) => isSame(announced, watched.address))
    )
      return [];
    const isRight = watched !== undefined && !isElsewhere && hasSettings(watched.settings);
    if (isRight || node.deleting) return [];
    return [{ type: 'sentinel.watch', node: target(node), primary, replace: isElsewhere }];
  });
}

/** Whether it has the others' epoch with another primary: then nothing that they say is news to it. */
function isDeaf(watched: Watched, { believed, isAgreed, isFailingOver, primary }: Reading): boolean {
  return primary !== undefined && isAgreed && !isFailingOver && watched.epoch === believed?.epoch;
}

function hasSettings(settings: Readonly<Record<string, string>>): boolean {
  return Object.entries(WATCH_SETTINGS).every(([name, value]) => settings[name] === value);
}

/**
 * A server that has never had a part, follows somebody else, or still takes itself for the primary becomes a replica, unless that would
 * replace its keys by none.
 */
function followActions(reading: Reading, primary: Known<ServerView>): SentinelAction[] {
  if (reading.isFailingOver || primary.deleting) return [];
  return reading.servers.flatMap((node): SentinelAction[] => {
    if (node === primary || node.deleting) return [];
    const { role, follows, empty, connecting } = node.view;
    if (role === 'replica' && follows !== undefined && isSame(follows, primary.announced))
      return connecting ? [reconnect(node, primary)] : [];
    if (!empty && (primary.view.empty || !reading.isAgreed)) return [];
    return [{ type: 'sentinel.follow', node: target(node), primary: primary.announced }];
  });
}

/** Where the name of a pod that was just made anew still leads to the address of before, none answers; one that is there does so at once. */
function reconnect(node: Known<ServerView>, { announced, address }: Known<ServerView>): SentinelAction {
  return { type: 'sentinel.reconnect', node: target(node), primary: announced, today: address };
}

/**
 * A Sentinel counts every other that it has ever heard of when it asks for a majority, so those that are gone are to be forgotten. It then
 * has to find the others again, so only while all is well, and only one at a time.
 */
function forget(reading: Reading, primary: Known<ServerView>): SentinelAction[] {
  const { complete, isAgreed, isFailingOver, servers, sentinels } = reading;
  const replicas = servers.filter((node) => node !== primary);
  if (!complete || !isAgreed || isFailingOver || !replicas.every((node) => isInSync(node, primary))) return [];
  const haunted = sentinels.find((node) => hasGhosts(node, reading));
  if (haunted === undefined) return [];
  const others = sentinels.filter((node) => node !== haunted);
  if (!others.every((node) => knowsAll(node, reading))) return [];
  return [{ type: 'sentinel.reset', node: target(haunted) }];
}

function hasGhosts({ view }: Known<SentinelView>, { servers, sentinels }: Reading): boolean {
  const isNobody = (peer: Peer, nodes: readonly { readonly announced: Address }[]) =>
    !nodes.some(({ announced }) => isSame(announced, peer.address));
  const ids = new Set(sentinels.map((node) => node.view.id));
  return (
    (view.watched?.replicas ?? []).some((peer) => isNobody(peer, servers)) ||
    (view.watched?.sentinels ?? []).some((peer) => !ids.has(peer.id))
  );
}

/** Whether a Sentinel has found everybody, without whom it elects nobody. */
export function knowsAll(node: Known<SentinelView>, { servers, sentinels, primary }: Reading): boolean {
  const { watched } = node.view;
  return (
    servers.every(
      ({ announced }) =>
        announced === primary?.announced || watched?.replicas.some((one) => isSame(one.address, announced)),
    ) && sentinels.every(({ view }) => view.id === node.view.id || watched?.sentinels.some(({ id }) => id === view.id))
  );
}
