import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { type Command, opener } from '../../../operator/platform/redis/client.ts';
import type { Address } from '../../../operator/platform/redis/cluster-nodes.ts';
import { carryOut } from '../../../operator/platform/redis/sentinel/act.ts';
import { askServer, type ServerView } from '../../../operator/platform/redis/sentinel/views.ts';
import { systemClock } from '../../../operator/runtime/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { PASSWORD } from '../redis/processes.ts';
import { Process } from './processes.ts';

const open = opener(undefined);
/** The kernel asks anew 1, 3, 7 and 15 seconds after the first time. */
const BETWEEN_ASKING_ANEW_MS = 8_000;
const BEFORE_IT_ASKS_AGAIN_MS = 3_000;

describe('a replica that waits for the address that its primary had', function () {
  this.timeout(60_000);
  const primary = new Process('server', 'acme-redis-0');
  const replica = new Process('server', 'acme-redis-1');
  let deaf: ChildProcess | undefined;

  before(async () => {
    await Promise.all([primary.start(), replica.start()]);
    await say(primary, ['REPLICAOF', 'NO', 'ONE']);
    await say(replica, ['REPLICAOF', primary.address.host, primary.address.port]);
    await eventually(async () => expect((await view(replica)).linkUp).to.equal(true), 10_000);
  });

  after(async () => {
    deaf?.kill();
    await Promise.all([primary.remove(), replica.remove()]);
  });

  it('is seen to wait, and follows within moments once it is told to ask anew', async () => {
    await primary.kill();
    deaf = await listenDeaf(primary.address.port);
    await eventually(async () => expect((await view(replica)).connecting).to.equal(true), 10_000);
    await sleep(BETWEEN_ASKING_ANEW_MS);
    expect(await view(replica)).to.include({ connecting: true, linkUp: false });
    deaf.kill('SIGKILL');
    await once(deaf, 'exit');
    await primary.start(true);
    await say(primary, ['REPLICAOF', 'NO', 'ONE']);
    const { id, address } = { id: (await view(replica)).id, address: replica.address };
    await carryOut(
      {
        type: 'sentinel.reconnect',
        node: { pod: replica.name, id, address },
        primary: primary.address,
        today: { host: '::1', port: primary.address.port },
      },
      { open, password: PASSWORD, clock: systemClock },
      AbortSignal.timeout(5_000),
    );
    await eventually(
      async () => expect(await view(replica)).to.include({ connecting: false, linkUp: true }),
      BEFORE_IT_ASKS_AGAIN_MS,
    );
    expect((await view(replica)).follows).to.deep.equal(primary.address);
  });

  async function view({ address }: Process): Promise<ServerView> {
    const answer = await using(
      address,
      async (client) => await askServer(client, ['maxmemory'], AbortSignal.timeout(2_000)),
    );
    if (answer.kind !== 'view') throw new Error(answer.message);
    return answer;
  }

  /** As soon as it listens. */
  async function say({ address }: Process, command: Command): Promise<void> {
    await eventually(async () => {
      const [reply] = await using(address, async (client) => await client.send([command], AbortSignal.timeout(2_000)));
      if (reply instanceof Error) throw reply;
    });
  }

  async function using<T>(address: Address, work: (client: ReturnType<typeof open>) => Promise<T>): Promise<T> {
    const client = open(address, PASSWORD);
    try {
      return await work(client);
    } finally {
      client.close();
    }
  }
});

/** Listens and takes nobody in; once its queue is full, the kernel drops what comes, as the network does for an address that nobody has. */
async function listenDeaf(port: number): Promise<ChildProcess> {
  const program = `
import socket, time
deaf = socket.socket()
deaf.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
deaf.bind(('127.0.0.1', ${port}))
deaf.listen(0)
queued = []
for _ in range(3):
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex(('127.0.0.1', ${port}))
    queued.append(one)
time.sleep(0.2)
print('deaf', flush=True)
time.sleep(600)
`;
  const child = spawn('python3', ['-c', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}
