import { expect } from 'chai';
import { badParameters } from '../../../operator/platform/postgres/parameter-check.ts';
import { readParameterFacts } from '../../../operator/platform/postgres/parameter-facts.ts';
import type { SqlTarget } from '../../../operator/platform/postgres/sql-session.ts';
import { POSTGRES_TIERS } from '../../../operator/platform/schema/tiers-postgres.ts';
import { PostgresServer } from '../../api/support/postgres.ts';

describe('what Postgres makes of parameters', function () {
  this.timeout(60_000);
  const server = new PostgresServer();

  before(async () => await server.create());
  after(async () => await server.destroy());

  async function bad(wanted: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    const { hostname, port, username } = new URL(server.url());
    const target: SqlTarget = {
      host: hostname,
      port: Number(port),
      database: 'postgres',
      user: username,
      password: '',
    };
    const facts = await readParameterFacts(target, wanted, AbortSignal.timeout(10_000));
    if (!facts.ok) throw new Error(facts.detail);
    return Object.fromEntries(badParameters(wanted, facts.value).map(({ name, why }) => [name, why]));
  }

  it('has nothing against what the tiers set', async () => {
    for (const { parameters } of Object.values(POSTGRES_TIERS)) expect(await bad(parameters)).to.deep.equal({});
  });

  it('names what is unknown, of the wrong type, out of its range, and what would keep it from starting', async () => {
    const found = await bad({
      work_men: '4MB',
      work_mem: 'banana',
      maintenance_work_mem: '4',
      datestyle: 'banana',
      huge_pages: 'always',
      max_locks_per_transaction: '2',
      shared_preload_libraries: 'pg_stat_statements, no_such_library',
      server_version: '16',
      checkpoint_timeout: '5m',
      default_text_search_config: "pg_catalog.english'; DROP TABLE x; --",
    });
    expect(found['work_men']).to.contain('no parameter of this name');
    expect(found['work_mem']).to.contain('invalid value for parameter "work_mem": "banana"');
    expect(found['maintenance_work_mem']).to.contain('outside the valid range');
    expect(found['datestyle']).to.contain('invalid value for parameter "DateStyle"');
    expect(found['huge_pages']).to.contain('none of off, on, try');
    expect(found['max_locks_per_transaction']).to.contain('from 10 to');
    expect(found['shared_preload_libraries']).to.contain('no library no_such_library');
    expect(found['server_version']).to.contain('nobody set it');
    expect(found['checkpoint_timeout']).to.contain('whose unit m is not known');
    expect(found['default_text_search_config']).to.contain('which Postgres refuses');
  });

  it('takes what it takes, in its own ways to write it', async () => {
    const wanted = {
      work_mem: '20MB',
      autovacuum: 'on',
      random_page_cost: '1.1',
      statement_timeout: '30s',
      huge_pages: 'try',
      shared_buffers: '16384',
      shared_preload_libraries: 'pg_stat_statements,auto_explain',
      'pg_stat_statements.track': 'all',
      datestyle: 'ISO, DMY',
      log_line_prefix: "%m [%p] '%q' ",
    };
    expect(await bad(wanted)).to.deep.equal({});
  });

  it('is asked without a change of anything', async () => {
    await bad({ work_mem: '33MB', statement_timeout: '1ms' });
    const [row] = await server.query('postgres', 'SHOW work_mem');
    expect(row).to.deep.equal({ work_mem: '4MB' });
  });
});
