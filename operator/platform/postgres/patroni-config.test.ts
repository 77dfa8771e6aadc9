import { expect } from 'chai';
import { scopeWith } from './fixtures.ts';
import { configPatch, dynamicConfig } from './patroni-config.ts';

const { postgres } = scopeWith().effective;
const wanted = dynamicConfig(postgres);

describe("Patroni's dynamic configuration", () => {
  it('leaves Patroni time for two tries within the life of its lock', () => {
    const { ttl, loop_wait, retry_timeout } = wanted;
    expect(ttl).to.be.at.least(20);
    expect(Number(loop_wait) + 2 * Number(retry_timeout)).to.be.at.most(ttl);
  });

  it('waits for a standby before it acknowledges, unless there is none to wait for or the user does not want it', () => {
    expect(wanted.synchronous_mode).to.equal('quorum');
    expect(dynamicConfig({ ...postgres, instances: 1 }).synchronous_mode).to.equal(false);
    expect(dynamicConfig({ ...postgres, synchronous: false }).synchronous_mode).to.equal(false);
  });

  it('ends the log that is kept for a standby at a quarter of the volume, unless something else is wanted', () => {
    const limitOf = (parameters: Readonly<Record<string, string>>) =>
      dynamicConfig({ ...postgres, storage: { size: '20Gi' }, parameters }).postgresql.parameters[
        'max_slot_wal_keep_size'
      ];
    expect(limitOf({})).to.equal('5120MB');
    expect(limitOf({ max_slot_wal_keep_size: '1GB' })).to.equal('1GB');
  });

  it('lets a parameter of the platform win over ours', () => {
    const { parameters } = dynamicConfig({ ...postgres, parameters: { wal_sender_timeout: '30s' } }).postgresql;
    expect(parameters.wal_sender_timeout).to.equal('30s');
  });

  it('needs no change when Patroni has what is wanted', () => {
    expect(configPatch(structuredClone(wanted), wanted)).to.equal(undefined);
  });

  it('changes only what differs', () => {
    const actual = structuredClone({ ...wanted, ttl: 30 });
    expect(configPatch(actual, wanted)).to.deep.equal({ ttl: 20 });
  });

  it('takes away a parameter that is wanted no more', () => {
    const parameters = { ...wanted.postgresql.parameters, work_mem: '64MB', log_statement: 'all' };
    const actual = { ...wanted, postgresql: { ...wanted.postgresql, parameters } };
    expect(configPatch(actual, wanted)).to.deep.equal({
      postgresql: { parameters: { work_mem: wanted.postgresql.parameters.work_mem, log_statement: null } },
    });
  });

  it('leaves alone what somebody else has set, such as a pause', () => {
    expect(configPatch({ ...wanted, pause: true }, wanted)).to.equal(undefined);
  });

  it('sends the rules of who may connect as a whole, and only when they differ', () => {
    const phases = { offer: true, verify: true, pool: true, use: true, demand: false };
    const offered = dynamicConfig(postgres, phases);
    const demanded = dynamicConfig(postgres, { ...phases, demand: true });
    expect(configPatch(structuredClone(offered), offered)).to.equal(undefined);
    const patch = configPatch(offered, demanded) as { postgresql: { pg_hba: string[] } };
    expect(patch.postgresql.pg_hba).to.be.an('array').and.to.have.length(4);
  });
});
