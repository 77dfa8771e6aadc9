import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { expect } from 'chai';
import { PATRONI_PORT } from './names.ts';
import { readPatroni, reinitialize, restart } from './patroni-client.ts';

/** Of the loopback network, and of nobody else: Patroni's port is always the same. */
const ADDRESS = '127.0.0.77';

describe("Patroni's REST API", () => {
  let server: Server;
  let answer: { status: number; text: string } | undefined;
  let asked: { method?: string | undefined; url?: string | undefined; body: string }[];

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        asked.push({ method: request.method, url: request.url, body });
        if (answer !== undefined) response.writeHead(answer.status).end(answer.text);
      });
    });
    server.listen(PATRONI_PORT, ADDRESS);
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const attempt = async (): Promise<unknown> =>
    await restart(ADDRESS, 'secret', AbortSignal.timeout(5_000)).catch((error: unknown) => error);

  it('restarts a member only for what waits for it, and with time to start', async () => {
    answer = { status: 200, text: 'restarted successfully' };
    expect(await attempt()).to.equal(undefined);
    expect(asked).to.deep.equal([
      { method: 'POST', url: '/restart', body: JSON.stringify({ restart_pending: true, timeout: 60 }) },
    ]);
  });

  it('takes a restart that is under way for one that was asked for', async () => {
    answer = { status: 503, text: 'restart already in progress' };
    expect(await attempt()).to.equal(undefined);
  });

  it('waits for no restart to end, which may take long', async () => {
    answer = undefined;
    const began = performance.now();
    expect(await attempt()).to.equal(undefined);
    expect(performance.now() - began).to.be.within(400, 2_000);
  });

  it('takes a copy that is under way for one that was asked for, and says what else is against it', async () => {
    const copy = async (): Promise<unknown> =>
      await reinitialize(ADDRESS, 'secret', false, AbortSignal.timeout(5_000)).catch((error: unknown) => error);
    answer = { status: 503, text: 'reinitialize already in progress' };
    expect(await copy()).to.equal(undefined);
    answer = { status: 503, text: 'I am the leader, can not reinitialize' };
    expect(String(await copy())).to.contain('I am the leader');
    expect(asked[0]).to.deep.equal({ method: 'POST', url: '/reinitialize', body: JSON.stringify({ force: false }) });
  });

  it('says what Patroni has against a restart', async () => {
    answer = { status: 503, text: 'restart conditions are not satisfied' };
    expect(String(await attempt()))
      .to.contain('503')
      .and.to.contain('conditions are not satisfied');
  });

  it('names the parameters that wait for a restart, in a fixed order', async () => {
    const reasons = {
      shared_buffers: { old_value: '64MB', new_value: '128MB' },
      max_connections: { old_value: 100, new_value: 150 },
    };
    const status = { state: 'running', role: 'replica', pending_restart: true, pending_restart_reason: reasons };
    answer = { status: 200, text: JSON.stringify(status) };
    const view = await readPatroni(ADDRESS, AbortSignal.timeout(2_000));
    expect(view.pendingRestart).to.equal(true);
    expect(view.pendingParameters).to.deep.equal([
      { name: 'max_connections', from: '100', to: '150' },
      { name: 'shared_buffers', from: '64MB', to: '128MB' },
    ]);
  });
});
