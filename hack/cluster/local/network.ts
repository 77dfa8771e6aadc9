import { exists } from '../cache.ts';
import { CommandError, run } from '../exec.ts';
import {
  bridge,
  hostAddress,
  maxNodes,
  type NodeLayout,
  nodeLayouts,
  nodePrefixLength,
  serviceCidr,
} from './layout.ts';

async function ip(...args: string[]): Promise<void> {
  await run('ip', args);
}

/** The start of a command line that runs in a node's network; unlike `ip netns exec` it leaves /sys as it is. */
export function inNetworkOf(node: NodeLayout): string[] {
  return [`--net=/run/netns/${node.network}`, '--'];
}

/** Runs a command in a node's network. */
async function runInNetwork(node: NodeLayout, command: string, args: readonly string[]): Promise<string> {
  return await run('nsenter', [...inNetworkOf(node), command, ...args]);
}

/** Makes the bridge that the nodes are joined by. */
export async function createBridge(): Promise<void> {
  await ip('link', 'add', bridge, 'type', 'bridge');
  await ip('address', 'add', `${hostAddress}/${nodePrefixLength}`, 'dev', bridge);
  await ip('link', 'set', bridge, 'up');
}

/** Makes a node's network namespace with one link to the bridge, and routes to the pods of all nodes. */
export async function createNodeNetwork(node: NodeLayout, all: readonly NodeLayout[]): Promise<void> {
  const { network, address } = node;
  await ip('netns', 'add', network);
  await ip('link', 'add', network, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', network);
  await ip('link', 'set', network, 'master', bridge, 'up');
  await ip('-n', network, 'link', 'set', 'lo', 'up');
  await ip('-n', network, 'address', 'add', `${address}/${nodePrefixLength}`, 'dev', 'eth0');
  await ip('-n', network, 'link', 'set', 'eth0', 'up');
  await ip('-n', network, 'route', 'add', 'default', 'via', hostAddress);
  for (const other of all) {
    if (other.index !== node.index) await ip('-n', network, 'route', 'add', other.podCidr, 'via', other.address);
  }
  await runInNetwork(node, 'sh', ['-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']);
  await ip('route', 'replace', node.podCidr, 'via', address);
}

/** Lets the host reach Services: it has no kube-proxy itself, so it goes by way of one node's. */
export async function routeServicesVia(node: NodeLayout): Promise<void> {
  await ip('route', 'replace', serviceCidr, 'via', node.address);
}

/** Cuts a node off, or joins it again: everything on it keeps running and can reach nothing beyond it. */
export async function setLink(node: NodeLayout, state: 'up' | 'down'): Promise<void> {
  await ip('link', 'set', node.network, state);
  const connected = await connectedNodes();
  const first = connected[0];
  if (first) await routeServicesVia(first);
}

interface Link {
  ifname: string;
  flags: string[];
}

async function links(...selection: string[]): Promise<Link[]> {
  return JSON.parse(await run('ip', ['-json', 'link', 'show', ...selection])) as Link[];
}

async function connectedNodes(): Promise<NodeLayout[]> {
  const up = (await links('master', bridge)).filter(({ flags }) => flags.includes('UP'));
  const names = new Set(up.map(({ ifname }) => ifname));
  return nodeLayouts(maxNodes).filter(({ network }) => names.has(network));
}

/** Removes the links, the namespaces and the bridge; the host's routes go with the bridge. */
export async function removeNetwork(): Promise<void> {
  const present = new Set((await links()).map(({ ifname }) => ifname));
  for (const { network } of nodeLayouts(maxNodes)) {
    // The link before its namespace: the kernel removes a namespace's links later, at a time of its own.
    if (present.has(network)) await ip('link', 'delete', network);
    if (await exists(`/run/netns/${network}`)) await removeNamespace(network);
  }
  if (present.has(bridge)) await ip('link', 'delete', bridge);
}

async function removeNamespace(network: string): Promise<void> {
  try {
    await ip('netns', 'delete', network);
  } catch (error) {
    // The name is only a file when the namespace was never mounted on it.
    if (!(error instanceof CommandError)) throw error;
    await run('rm', ['-f', `/run/netns/${network}`]);
  }
}
