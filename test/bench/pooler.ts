/**
 * What a failover costs a client of the pooler beside one without: `node test/bench/pooler.ts`, as root, in about seven minutes. Real servers
 * on loopback, in a network of its own, in which a Service is a rule that rewrites addresses, as in a cluster, and a lost node one
 * that drops packets.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { renew } from '../../operator/platform/pooler/renew.ts';
import { Bouncer } from '../integration/pooler/bouncer.ts';
import { Server } from '../integration/pooler/server.ts';
import { largestGap, Writer } from '../integration/pooler/writer.ts';

const SERVICE = { host: '127.0.9.9', port: 5432 };
const WRITERS = 6;
/** As the API's own. */
const CLIENT_TIMEOUT_MS = 4_000;
/** The old primary was ended, or given up, so long after the fault, and the new one served half a second later. */
const NOTICED_MS = 3_000;
const SERVING_MS = 500;
const WATCHED_MS = 7_000;

type Way = 'direct' | 'pooler alone' | 'pooler and operator';

interface Fault {
  readonly name: string;
  begin(primary: Server): void;
  /** What the operator's fence does to it. */
  fence(primary: Server): void;
}

const nothing = () => undefined;
const faults: readonly Fault[] = [
  { name: 'killed', begin: (primary) => primary.kill(), fence: nothing },
  {
    name: 'frozen, then ended by its kubelet',
    begin: (primary) => primary.freeze(),
    fence: (primary) => primary.kill(),
  },
  { name: 'frozen for good', begin: (primary) => primary.freeze(), fence: nothing },
  { name: 'cut off', begin: cutOff, fence: nothing },
];

function iptables(...args: string[]): void {
  execFileSync('iptables', args, { stdio: 'pipe' });
}

function cutOff({ host }: Server): void {
  iptables('--append', 'INPUT', '--destination', host, '--jump', 'DROP');
  iptables('--append', 'INPUT', '--source', host, '--jump', 'DROP');
}

/** New connections to the Service lead here; none at all while there is nowhere to lead. */
function lead(server: Server | undefined): void {
  iptables('--flush', 'OUTPUT');
  iptables('--table', 'nat', '--flush', 'OUTPUT');
  const to = ['--append', 'OUTPUT', '--protocol', 'tcp', '--destination', SERVICE.host];
  const fresh = ['--match', 'conntrack', '--ctstate', 'NEW'];
  if (server === undefined) iptables(...to, ...fresh, '--jump', 'REJECT', '--reject-with', 'tcp-reset');
  else iptables('--table', 'nat', ...to, '--jump', 'DNAT', '--to-destination', server.address);
}

/** The largest write gap in milliseconds. */
async function measure(fault: Fault, way: Way, timeoutMs: number | undefined): Promise<number> {
  const [before, after] = [new Server('before', '127.0.0.2'), new Server('after', '127.0.0.3')];
  const bouncer = new Bouncer();
  try {
    await Promise.all([before.start(), after.start()]);
    lead(before);
    await bouncer.start(SERVICE);
    const target = way === 'direct' ? { ...before.target, ...SERVICE } : bouncer.client;
    const writers = Array.from({ length: WRITERS }, () => new Writer(target, timeoutMs));
    await pause(3_000);
    fault.begin(before);
    if (fault.name === 'killed') lead(undefined);
    await pause(NOTICED_MS);
    fault.fence(before);
    lead(undefined);
    await pause(SERVING_MS);
    lead(after);
    if (way === 'pooler and operator') await renew(bouncer.console, 'postgres', new Date(), AbortSignal.timeout(1_500));
    await pause(WATCHED_MS);
    return await largestGap(writers);
  } finally {
    iptables('--flush', 'INPUT');
    await bouncer.destroy();
    await Promise.all([before.destroy(), after.destroy()]);
  }
}

function seconds(gap: number): string {
  return gap >= WATCHED_MS + NOTICED_MS + SERVING_MS
    ? `over ${(WATCHED_MS + NOTICED_MS) / 1000} s`
    : `${(gap / 1000).toFixed(1)} s`;
}

async function main(): Promise<void> {
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  const ways: readonly Way[] = ['direct', 'pooler alone', 'pooler and operator'];
  for (const timeoutMs of [CLIENT_TIMEOUT_MS, undefined]) {
    const who = timeoutMs === undefined ? 'client without a timeout' : `client that waits ${timeoutMs / 1000} s`;
    console.log(`| ${who}; the primary is | ${ways.join(' | ')} |\n|---|---|---|---|`);
    for (const fault of faults) {
      const cells: string[] = [];
      for (const way of ways) cells.push(seconds(await measure(fault, way, timeoutMs)));
      console.log(`| ${fault.name} | ${cells.join(' | ')} |`);
    }
    console.log('');
  }
}

const INSIDE = 'inside';
if (process.argv[2] === INSIDE) await main();
else {
  const args = ['--net', process.execPath, import.meta.filename, INSIDE];
  process.exitCode = spawnSync('unshare', args, { stdio: 'inherit' }).status ?? 1;
}
