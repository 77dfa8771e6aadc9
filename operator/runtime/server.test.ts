import { expect } from 'chai';
import { silentLogger } from './logger.ts';
import { RuntimeMetrics } from './metrics.ts';
import { RuntimeServer } from './server.ts';

describe('server of metrics and health', () => {
  let server: RuntimeServer;
  let url: string;
  let broken: string | undefined;
  const metrics = new RuntimeMetrics();

  beforeEach(async () => {
    broken = undefined;
    const check = () => {
      if (broken !== undefined) throw new Error(broken);
    };
    server = new RuntimeServer({
      registry: metrics.registry,
      liveness: [{ name: 'ping', check: () => undefined }],
      readiness: [
        { name: 'caches', check },
        { name: 'lease', check: async () => undefined },
      ],
      logger: silentLogger,
    });
    url = `http://127.0.0.1:${await server.listen(0, '127.0.0.1')}`;
  });

  afterEach(() => server.close());

  async function get(path: string): Promise<[number, string]> {
    const response = await fetch(url + path);
    return [response.status, await response.text()];
  }

  it('answers ok while everything holds, and each check when asked for', async () => {
    expect(await get('/healthz')).to.deep.equal([200, 'ok']);
    expect(await get('/readyz?verbose')).to.deep.equal([200, '[+]caches ok\n[+]lease ok\nreadyz check passed\n']);
  });

  it('says what is wrong, and stays alive when it is only not ready', async () => {
    broken = 'pods: not in sync';
    expect(await get('/readyz')).to.deep.equal([
      500,
      '[-]caches failed: pods: not in sync\n[+]lease ok\nreadyz check failed\n',
    ]);
    expect(await get('/healthz')).to.deep.equal([200, 'ok']);
  });

  it("serves metrics under controller-runtime's names", async () => {
    metrics.queue('platform').depth(3);
    metrics.controller('platform').reconciled('requeue_after', 0.2);
    metrics.controller('platform').reconciled('terminal_error', 0.2);
    metrics.request({ code: '200', method: 'GET', path: '/api', host: 'api:443', durationMs: 5 });
    metrics.leading('operator', true);
    const [status, text] = await get('/metrics');
    expect(status).to.equal(200);
    for (const line of [
      'workqueue_depth{name="platform",controller="platform"} 3',
      'controller_runtime_reconcile_total{controller="platform",result="requeue_after"} 1',
      'controller_runtime_reconcile_total{controller="platform",result="error"} 1',
      'controller_runtime_terminal_reconcile_errors_total{controller="platform"} 1',
      'controller_runtime_reconcile_time_seconds_count{controller="platform"} 2',
      'rest_client_requests_total{code="200",method="GET",host="api:443"} 1',
      'leader_election_master_status{name="operator"} 1',
    ]) {
      expect(text).to.include(line);
    }
  });

  it('knows nothing else', async () => {
    expect((await get('/debug'))[0]).to.equal(404);
  });
});
