import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { joinScript, type Paths } from './join-script.ts';

// Each address of the loopback network is a node.
const [SELF, FIRST, SECOND] = ['127.0.0.2', '127.0.0.3', '127.0.0.4'] as const;

async function listen(host: string, port = 0): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = await listen(SELF);
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Run {
  readonly process: ChildProcess;
  readonly done: Promise<number | null>;
  output(): string;
  said(text: string): Promise<void>;
}

describe('the script that runs before a RabbitMQ node', function () {
  this.timeout(20_000);
  let folder: string;
  let paths: Paths;
  let amqp: number;
  let amqps: number;
  let distribution: number;
  const servers: Server[] = [];
  const runs: Run[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'join-'));
    const path = (name: string): string => join(folder, name);
    paths = { config: path('config'), secret: path('secret'), home: path('home'), data: path('data') };
    for (const path of Object.values(paths)) mkdirSync(path);
    [amqp, amqps, distribution] = [await freePort(), await freePort(), await freePort()];
    writeFileSync(join(paths.config, 'nodes'), `${SELF}\n${FIRST}\n${SECOND}\n`);
    writeFileSync(join(paths.secret, 'erlang-cookie'), 'cookie');
    nameFounder('');
  });

  afterEach(async () => {
    for (const run of runs.splice(0)) run.process.kill('SIGKILL');
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
    rmSync(folder, { recursive: true });
  });

  function nameFounder(host: string): void {
    writeFileSync(join(paths.config, 'founder'), host);
  }

  async function serve(host: string, port: number): Promise<void> {
    servers.push(await listen(host, port));
  }

  function start(more: NodeJS.ProcessEnv = {}): Run {
    const process = spawn('bash', ['-c', joinScript(paths, [amqp, amqps], distribution)], {
      env: {
        PATH: globalThis.process.env['PATH'],
        HOME: paths.home,
        POD_IP: SELF,
        NODE_HOST: SELF,
        RABBITMQ_NODENAME: `rabbit@${SELF}`,
        ERL_INETRC: join(paths.home, 'inetrc'),
        ...more,
      },
    });
    let text = '';
    const listeners = new Set<() => void>();
    for (const stream of [process.stdout, process.stderr])
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        for (const listener of listeners) listener();
      });
    const run: Run = {
      process,
      done: new Promise((resolve) => process.once('exit', resolve)),
      output: () => text,
      said: (wanted) =>
        new Promise((resolve) => {
          const look = (): void => {
            if (text.includes(wanted)) resolve();
          };
          listeners.add(look);
          look();
        }),
    };
    runs.push(run);
    return run;
  }

  function peers(): string[] {
    const lines = readFileSync(join(paths.home, 'conf.d', '10-peers.conf'), 'utf8')
      .trim()
      .split('\n');
    return lines.filter((line) => line !== '').map((line) => line.split(' = rabbit@')[1] ?? line);
  }

  it('founds a cluster when it may and nobody serves', async () => {
    nameFounder(SELF);
    expect(await start().done).to.equal(0);
    expect(peers()).to.deep.equal([]);
  });

  it('joins who serves rather than founding, though it may', async () => {
    nameFounder(SELF);
    await serve(SECOND, amqp);
    expect(await start().done).to.equal(0);
    expect(peers()).to.deep.equal([SELF, SECOND]);
  });

  it('joins who serves with TLS alone', async () => {
    await serve(SECOND, amqps);
    expect(await start().done).to.equal(0);
    expect(peers()).to.deep.equal([SELF, SECOND]);
  });

  it('waits as long as it takes when its volume is empty and nobody serves', async () => {
    const run = start();
    await run.said('waiting for a node of the cluster to join');
    expect(existsSync(join(paths.home, 'conf.d', '10-peers.conf'))).to.equal(false);
    await serve(FIRST, amqp);
    expect(await run.done).to.equal(0);
    expect(peers()).to.deep.equal([SELF, FIRST]);
  });

  it('founds a cluster as soon as it may, without being restarted', async () => {
    const run = start();
    await run.said('waiting for a node of the cluster to join');
    nameFounder(SELF);
    expect(await run.done).to.equal(0);
    expect(peers()).to.deep.equal([]);
  });

  it('starts beside a founder that is still starting, and will join nobody else', async () => {
    nameFounder(FIRST);
    await serve(FIRST, distribution);
    await serve(SECOND, distribution);
    expect(await start().done).to.equal(0);
    expect(peers()).to.deep.equal([SELF, FIRST]);
  });

  it('does not take another node that is starting for a cluster', async () => {
    await serve(SECOND, distribution);
    const run = start();
    await run.said('waiting for a node of the cluster to join');
    expect(run.process.exitCode).to.equal(null);
  });

  function haveData(): void {
    const data = join(paths.data, `rabbit@${SELF}`);
    mkdirSync(data);
    writeFileSync(join(data, 'schema.DAT'), '');
  }

  it('starts with the data that it has, whoever else is there', async () => {
    haveData();
    expect(await start().done).to.equal(0);
    expect(peers()).to.deep.equal([SELF, FIRST, SECOND]);
  });

  describe('when the node was struck off', () => {
    const data = (): string => join(paths.data, `rabbit@${SELF}`);

    function strikeOff(host: string, at: string): void {
      writeFileSync(join(paths.config, 'left'), `${host} ${at}\n`);
    }

    it('discards what the node knew before, once, and has it join', async () => {
      haveData();
      await serve(FIRST, amqp);
      strikeOff(SELF, 'monday');
      expect(await start().done).to.equal(0);
      expect(existsSync(data())).to.equal(false);
      expect(peers()).to.deep.equal([SELF, FIRST]);
      // It has joined, and the mark is still there.
      haveData();
      expect(await start().done).to.equal(0);
      expect(existsSync(data())).to.equal(true);
      strikeOff(SELF, 'tuesday');
      expect(await start().done).to.equal(0);
      expect(existsSync(data())).to.equal(false);
    });

    it('leaves the data of others alone', async () => {
      haveData();
      strikeOff(SECOND, 'monday');
      expect(await start().done).to.equal(0);
      expect(existsSync(data())).to.equal(true);
    });
  });

  it('waits until DNS has told its address for a while, however often it told another', async () => {
    haveData();
    const answers = join(folder, 'answers');
    mkdirSync(join(folder, 'bin'));
    // Tells the old address at first, and once more in between.
    const script = `#!/bin/sh
echo >> ${answers}
case $(wc -l < ${answers}) in 1|2|5) echo '127.0.0.9 STREAM' ;; *) echo '${SELF} STREAM' ;; esac`;
    writeFileSync(join(folder, 'bin', 'getent'), script, { mode: 0o755 });
    expect(await start({ PATH: `${join(folder, 'bin')}:${process.env['PATH']}` }).done).to.equal(0);
    expect(readFileSync(answers, 'utf8')).to.have.length(15);
  });

  it('gives the cookie to its owner alone, also when the pod starts anew', async () => {
    nameFounder(SELF);
    for (const _ of ['first', 'second']) {
      expect(await start().done).to.equal(0);
      const cookie = join(paths.home, '.erlang.cookie');
      expect(statSync(cookie).mode & 0o777).to.equal(0o400);
      expect(readFileSync(cookie, 'utf8')).to.equal('cookie');
    }
  });

  it('lets the node resolve its own name', async () => {
    nameFounder(SELF);
    await start().done;
    expect(readFileSync(join(paths.home, 'inetrc'), 'utf8')).to.equal(
      `{host, {127,0,0,2}, ["${SELF}"]}.\n{lookup, [file, native]}.\n`,
    );
  });
});
