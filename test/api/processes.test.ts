import { expect } from 'chai';
import { Client } from './support/client.ts';
import { eventually } from './support/daemon.ts';
import { startLoad } from './support/load.ts';
import { endAll, launchApi, migrated } from './support/platform.ts';
import { postgres } from './support/servers.ts';

describe('processes', () => {
  after(endAll);

  it('gathers the metrics of all, and replaces each after its share of requests without refusing one', async () => {
    const api = await launchApi({ API_PROCESSES: '2', API_RECYCLE_REQUESTS: '20' });
    const client = new Client(api.url);
    const load = startLoad(client, await client.converse());
    await eventually(async () => {
      const served = api.process.log.filter((line) => line.message === 'serving');
      if (served.length < 4) throw new Error(`only ${served.length} processes have served`);
    });
    const { statuses } = await load.stop();
    expect([...statuses.keys()]).to.deep.equal([201]);
    // Those that served the load may all have been replaced.
    await client.converse();
    const { text } = (await client.get('/metrics')).body as { text: string };
    expect(text).to.match(/http_request_duration_seconds_count\{.*status="201"/);
    await api.process.stop();
    expect(api.process.exitCode).to.equal(0);
  });

  it('refuses what is beyond its connections with 503, and stays alive to the probes', async () => {
    const api = await launchApi({ API_MAX_CONNECTIONS: '2', DATABASE_RETRY_SECONDS: '1' });
    const client = new Client(api.url);
    await postgres.stop();
    try {
      // Each of these waits for a primary.
      const sent = Array.from({ length: 3 }, () => client.post('/v1/customers', { name: 'Ana' }));
      const statuses = await Promise.all(sent);
      expect(statuses.map(({ status }) => status)).to.deep.equal([503, 503, 503]);
      expect(statuses.map(({ body }) => body['code'])).to.include('overloaded');
      expect((await client.get('/health')).status).to.equal(200);
    } finally {
      await postgres.start();
    }
  });

  it('finishes the requests under way at SIGTERM', async () => {
    const api = await launchApi();
    const client = new Client(api.url);
    const conversation = await client.converse();
    const release = await postgres.lock('SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE', [conversation]);
    const sent = Array.from({ length: 4 }, () =>
      client.post(`/v1/conversations/${conversation}/messages`, { text: 'oi' }),
    );
    await eventually(async () => {
      const waiting = await postgres.query(
        'isp_support',
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
      );
      expect(waiting).to.have.length(4);
    });
    const stopped = api.process.stop('SIGTERM');
    await api.process.line('draining');
    await release();
    const statuses = (await Promise.all(sent)).map(({ status }) => status);
    await stopped;
    expect(statuses).to.deep.equal([201, 201, 201, 201]);
    expect(api.process.exitCode).to.equal(0);
  });

  it('migrates a database that is up to date again, and changes nothing', async () => {
    const runs = await Promise.all([migrated(postgres.url()), migrated(postgres.url())]);
    for (const run of runs)
      expect(run.log.at(-1)).to.include({ message: 'database is up to date' }).and.deep.include({ migrationsRun: [] });
  });
});
