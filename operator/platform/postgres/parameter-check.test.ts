import { expect } from 'chai';
import { badParameters } from './parameter-check.ts';
import type { ParameterFact, ParameterFacts } from './parameter-facts.ts';

const base = { unit: null, min: null, max: null, values: null };
const fact = (name: string, context: string, vartype: string, more: Partial<ParameterFact> = {}): ParameterFact => ({
  ...base,
  ...more,
  name,
  context,
  vartype,
});

/** As Postgres 15 has them. */
const known: ParameterFact[] = [
  fact('block_size', 'internal', 'integer'),
  fact('autovacuum', 'sighup', 'bool'),
  fact('checkpoint_timeout', 'sighup', 'integer', { unit: 's', min: '30', max: '86400' }),
  fact('huge_pages', 'postmaster', 'enum', { values: ['off', 'on', 'try'] }),
  fact('autovacuum_vacuum_scale_factor', 'sighup', 'real', { min: '0', max: '100' }),
  fact('max_connections', 'postmaster', 'integer', { min: '1', max: '262143' }),
  fact('shared_buffers', 'postmaster', 'integer', { unit: '8kB', min: '16', max: '1073741823' }),
  fact('shared_preload_libraries', 'postmaster', 'string'),
  fact('work_mem', 'user', 'integer', { unit: 'kB', min: '64', max: '2147483647' }),
];

function why(name: string, value: string, facts: Partial<ParameterFacts> = {}): string | undefined {
  const [bad] = badParameters({ [name]: value }, { known, refused: [], missingLibraries: [], ...facts });
  return bad?.why;
}

describe('parameters that Postgres cannot use', () => {
  const bad: readonly [string, string, string][] = [
    ['work_men', '4MB', 'no parameter of this name'],
    ['block_size', '8192', 'nobody set it'],
    ['autovacuum', 'maybe', 'neither "on" nor "off"'],
    ['huge_pages', 'always', 'none of off, on, try'],
    ['checkpoint_timeout', 'banana', 'a number with one of the units us, ms, s, min, h, d'],
    ['checkpoint_timeout', '5m', 'whose unit m is not known'],
    ['checkpoint_timeout', '10s', 'from 30 to 86400, counted in s'],
    ['checkpoint_timeout', '25h', 'from 30 to 86400, counted in s'],
    ['shared_buffers', '4gb', 'whose unit gb is not known'],
    ['shared_buffers', '64kB', 'from 16 to 1073741823, counted in 8kB'],
    ['max_connections', '100kB', 'whose unit kB is not known'],
    ['autovacuum_vacuum_scale_factor', '101', 'from 0 to 100'],
  ];
  for (const [name, value, says] of bad)
    it(`${name} of ${value}`, () => {
      expect(why(name, value)).to.contain(says);
    });

  const good: readonly [string, string][] = [
    ['autovacuum', 'on'],
    ['autovacuum', 'FALSE'],
    ['huge_pages', 'Try'],
    ['checkpoint_timeout', '15min'],
    ['checkpoint_timeout', '900'],
    ['checkpoint_timeout', '1.5h'],
    ['shared_buffers', '128 MB'],
    ['shared_buffers', '16384'],
    ['autovacuum_vacuum_scale_factor', '.05'],
    ['max_connections', '200'],
    ['pg_stat_statements.track', 'all'],
  ];
  for (const [name, value] of good)
    it(`are not: ${name} of ${value}`, () => {
      expect(why(name, value)).to.equal(undefined);
    });

  it('are those that Postgres itself refuses, in its own words', () => {
    const refused = [{ name: 'work_mem', why: 'invalid value for parameter "work_mem": "banana"' }];
    expect(why('work_mem', 'banana', { refused })).to.contain('which Postgres refuses: invalid value');
  });

  it('are libraries that the image does not have, without which no server would start', () => {
    const missingLibraries = ['timescaledb'];
    expect(why('shared_preload_libraries', 'pg_stat_statements, timescaledb', { missingLibraries })).to.contain(
      'no library timescaledb',
    );
    expect(why('shared_preload_libraries', 'pg_stat_statements', { missingLibraries })).to.equal(undefined);
  });
});
