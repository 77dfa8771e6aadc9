import { lookup } from 'node:dns/promises';
import pg from 'pg';
import { resolved } from '../in-cluster/resolved.ts';
import { serve } from '../in-cluster/serve.ts';
import { largestGap } from '../statistics.ts';

/**
 * Runs in the cluster: clients that write through the primary Service and remember every write that was acknowledged, half of them over a
 * connection that they keep, half over a new one each time; and a checker that asks every member whether it is the primary, and has those that say so write.
 */
const { PGURL = '', MEMBERS = '', MEMBER_PASSWORD = '' } = process.env;
const EVERY_MS = 20;
const TIMEOUT_MS = 1_000;
const FILL_MS = 60_000;
const WEDGED_SECONDS = 60;
const REMEMBERED_MS = 60_000;

interface Acknowledged {
  readonly id: number;
  readonly at: number;
}

const kinds = ['old', 'new'] as const;
/** What the checker writes is as owed as what the clients write. */
const acknowledged: Record<(typeof kinds)[number] | 'checker', Acknowledged[]> = { old: [], new: [], checker: [] };
let nextId = Date.now() * 1000;

/** How many members said at once that they were the primary, and how many of these took a write. */
interface Round {
  readonly at: number;
  readonly claiming: number;
  readonly writing: number;
}

const rounds: Round[] = [];

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
  return `postgresql://postgres:${MEMBER_PASSWORD}@${address}:5432${new URL(PGURL).pathname}`;
}

interface Answer {
  readonly address: string;
  readonly writes: boolean;
}

/** What a member that says that it is the primary makes of a write; undefined when it does not say so. */
async function ask(address: string): Promise<Answer | undefined> {
  const client = connect(member(address));
  let claims = false;
  try {
    await client.connect();
    const { rows } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
    claims = rows[0]?.standby === false;
    if (!claims) return undefined;
    const id = nextId++;
    await client.query('INSERT INTO bench_ledger VALUES ($1)', [id]);
    acknowledged.checker.push({ id, at: Date.now() });
    return { address, writes: true };
  } catch {
    return claims ? { address, writes: false } : undefined;
  } finally {
    leave(client);
  }
}

async function askAll(addresses: readonly string[]): Promise<Answer[]> {
  const answers = await Promise.all(addresses.map(ask));
  return answers.filter((answer) => answer !== undefined);
}

/** When each address of a member was last told of. Names are looked up apart from the asking, which must not wait for a name server that is away. */
const known = new Map<string, number>();

async function followMembers(): Promise<void> {
  for (;;) {
    // What cannot be looked up at this moment is known from before.
    const addresses = await lookup(MEMBERS, { all: true }).catch(() => []);
    for (const { address } of addresses) known.set(address, Date.now());
    await pause(200);
  }
}

/**
 * Who says so in one round may have said it one after the other, as in a switchover. Two primaries there are when those that are it still are after the others
 * have been heard.
 */
async function check(): Promise<void> {
  for (;;) {
    const at = Date.now();
    let claiming = await askAll([...known].filter(([, seen]) => seen > at - REMEMBERED_MS).map(([address]) => address));
    if (claiming.length > 1) claiming = await askAll(claiming.map(({ address }) => address));
    rounds.push({ at, claiming: claiming.length, writing: claiming.filter(({ writes }) => writes).length });
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
  const all = Object.values(acknowledged).flatMap((list) => list.filter(({ at }) => at >= since));
  const sql = 'SELECT count(*)::int AS there FROM bench_ledger WHERE id = ANY($1::bigint[])';
  const { rows } = await client.query<{ there: number }>(sql, [all.map(({ id }) => id)]);
  await client.end();
  const most = (key: 'claiming' | 'writing'): number =>
    Math.max(0, ...rounds.filter(({ at }) => at >= since).map((round) => round[key]));
  return {
    old: gap(acknowledged.old, since),
    new: gap(acknowledged.new, since),
    acknowledged: all.length,
    lost: all.length - (rows[0]?.there ?? 0),
    claiming: most('claiming'),
    writing: most('writing'),
    now: Date.now(),
  };
}

const first = connect();
await first.connect();
await first.query('CREATE TABLE IF NOT EXISTS bench_ledger (id bigint PRIMARY KEY)');
await first.end();
for (const kind of kinds) for (let client = 0; client < 2; client += 1) void write(kind);
void followMembers();
void check();
serve((asked) => {
  const [full, wedged] = [asked.get('fill'), asked.get('wedge')];
  const struck = full === null ? wedged && wedge(wedged) : fill(full);
  return struck || report(Number(asked.get('since') ?? 0));
});
