import { lookup } from 'node:dns/promises';
import pg from 'pg';
import { resolved } from '../in-cluster/resolved.ts';
import { serve } from '../in-cluster/serve.ts';
import { largestGap } from '../statistics.ts';

/**
 * Runs in the cluster: clients that write through the primary Service and remember every write that was acknowledged, half of them over a
 * connection that they keep, half over a new one each time; and a checker that asks every member who takes writes.
 */
const { PGURL = '', MEMBERS = '', MEMBER_PASSWORD = '' } = process.env;
const EVERY_MS = 20;
const TIMEOUT_MS = 1_000;
const FILL_MS = 60_000;
const WEDGED_SECONDS = 60;

interface Acknowledged {
  readonly id: number;
  readonly at: number;
}

const kinds = ['old', 'new'] as const;
const acknowledged: Record<(typeof kinds)[number], Acknowledged[]> = { old: [], new: [] };
let nextId = Date.now() * 1000;
const primaries: { readonly at: number; readonly count: number }[] = [];

const service = await resolved(PGURL);

function connect(connectionString = service, query_timeout = TIMEOUT_MS): pg.Client {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: TIMEOUT_MS, query_timeout });
  // What breaks a connection is seen by the write that needs it.
  client.on('error', () => undefined);
  return client;
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

async function write(kind: (typeof kinds)[number]): Promise<void> {
  let client: pg.Client | undefined;
  for (;;) {
    const id = nextId++;
    try {
      if (client === undefined) {
        client = connect();
        await client.connect();
      }
      await client.query('INSERT INTO bench_ledger VALUES ($1)', [id]);
      acknowledged[kind].push({ id, at: Date.now() });
      if (kind === 'new') await client.end();
    } catch {
      // Not acknowledged, so nothing is owed; the gap that it leaves is what is measured.
      leave(client);
      client = undefined;
    }
    if (kind === 'new') client = undefined;
    await pause(EVERY_MS);
  }
}

/** Without waiting: the other side may never answer. */
function leave(client: pg.Client | undefined): void {
  client?.end().catch(() => undefined);
}

function member(address: string): string {
  return `postgresql://postgres:${MEMBER_PASSWORD}@${address}:5432/postgres`;
}

async function writable(address: string): Promise<boolean> {
  const client = connect(member(address));
  try {
    await client.connect();
    const { rows } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
    return rows[0]?.standby === false;
  } catch {
    return false;
  } finally {
    leave(client);
  }
}

async function whoTakesWrites(addresses: readonly string[]): Promise<string[]> {
  const answers = await Promise.all(addresses.map(async (address) => ({ address, is: await writable(address) })));
  return answers.filter(({ is }) => is).map(({ address }) => address);
}

/**
 * Who says so in one round may have said it one after the other, as in a switchover. Two primaries there are when those that take writes
 * still do after the others have been heard.
 */
async function check(): Promise<void> {
  for (;;) {
    const at = Date.now();
    const addresses = await lookup(MEMBERS, { all: true }).catch(() => []);
    let writing = await whoTakesWrites(addresses.map(({ address }) => address));
    if (writing.length > 1) writing = await whoTakesWrites(writing);
    primaries.push({ at, count: writing.length });
    await pause(200);
  }
}

/** Leaves no room on a member's volume: as much as is told to be free at once, and then the rest. */
async function fill(address: string): Promise<unknown> {
  const script = [
    'cd ..',
    'file=filled-$(date +%s)',
    'fallocate -l $(df --output=avail -B1 . | tail -n1) $file',
    'dd if=/dev/zero of=$file.rest bs=64k',
    'true',
  ].join('; ');
  return await onMember(address, script);
}

/** Stops a member's postmaster for a minute, unless it is ended before: sessions go on, and nobody new gets in. */
async function wedge(address: string): Promise<unknown> {
  const pause = `kill -STOP $postmaster; sleep ${WEDGED_SECONDS}; kill -CONT $postmaster`;
  return await onMember(address, `postmaster=$(head -n1 postmaster.pid); (${pause}) >/dev/null 2>&1 &`);
}

async function onMember(address: string, script: string): Promise<unknown> {
  const client = connect(member(address), FILL_MS);
  await client.connect();
  await client.query(`COPY (SELECT) TO PROGRAM '${script}'`);
  // What is left running there has the connection too.
  leave(client);
  return { at: Date.now() };
}

function gap(list: readonly Acknowledged[], since: number): number {
  const times = list.map(({ at }) => at);
  return largestGap(times, since, Date.now());
}

async function report(since: number): Promise<unknown> {
  const client = connect();
  await client.connect();
  const all = kinds.flatMap((kind) => acknowledged[kind].filter(({ at }) => at >= since));
  const sql = 'SELECT count(*)::int AS there FROM bench_ledger WHERE id = ANY($1::bigint[])';
  const { rows } = await client.query<{ there: number }>(sql, [all.map(({ id }) => id)]);
  await client.end();
  const most = Math.max(0, ...primaries.filter(({ at }) => at >= since).map(({ count }) => count));
  return {
    old: gap(acknowledged.old, since),
    new: gap(acknowledged.new, since),
    acknowledged: all.length,
    lost: all.length - (rows[0]?.there ?? 0),
    primaries: most,
    now: Date.now(),
  };
}

const first = connect();
await first.connect();
await first.query('CREATE TABLE IF NOT EXISTS bench_ledger (id bigint PRIMARY KEY)');
await first.end();
for (const kind of kinds) for (let client = 0; client < 2; client += 1) void write(kind);
void check();
serve((asked) => {
  const [full, wedged] = [asked.get('fill'), asked.get('wedge')];
  const struck = full === null ? wedged && wedge(wedged) : fill(full);
  return struck || report(Number(asked.get('since') ?? 0));
});
