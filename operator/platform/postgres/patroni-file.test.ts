import { expect } from 'chai';
import { parse } from 'yaml';
import type { StatefulSet } from '../../kube/resources.ts';
import { desiredObjects } from './desired.ts';
import { platformWith, scopeWith } from './fixtures.ts';
import { dynamicConfig } from './patroni-config.ts';
import { patroniFile } from './patroni-file.ts';

const { postgres } = scopeWith().effective;

// Patroni reads YAML 1.1, in which off, no and 1:30 are no text.
function read(parameters: Record<string, string> = {}) {
  const file = patroniFile(platformWith(), { ...postgres, parameters: { ...postgres.parameters, ...parameters } });
  return parse(file.data?.['patroni.yml'] ?? '', { version: '1.1' });
}

describe("Patroni's file", () => {
  it('finds the pods by labels that every one of them has', () => {
    const { scope, kubernetes } = read();
    const template = desiredObjects(platformWith(), postgres, { replicas: 3 }).find(
      (object): object is StatefulSet => object.kind === 'StatefulSet',
    )?.spec?.template;
    expect(template?.metadata?.labels).to.include({ ...kubernetes.labels, [kubernetes.scope_label]: scope });
    expect(template?.metadata?.labels).not.to.have.property(kubernetes.role_label);
  });

  it('keeps its lock in a ConfigMap and labels the lock holder primary', () => {
    expect(read().kubernetes).to.include({
      use_endpoints: false,
      role_label: 'isp.support/role',
      leader_label_value: 'primary',
      follower_label_value: 'replica',
    });
  });

  it('starts a cluster with the configuration that is wanted of it ever after, to the letter', () => {
    const parameters = { synchronize_seqscans: 'off', cursor_tuple_fraction: '1e-1', log_line_prefix: '%m [%p] ' };
    const wanted = dynamicConfig({ ...postgres, parameters: { ...postgres.parameters, ...parameters } });
    expect(read(parameters).bootstrap.dcs).to.deep.equal(wanted);
  });

  it('stops Postgres before Patroni begins to wait for it, and soon enough for a lock that is lost', () => {
    const { postgresql, bootstrap } = read();
    const { ttl, loop_wait, retry_timeout } = bootstrap.dcs;
    const [program, ...options] = postgresql.before_stop.split(' ');
    expect(program).to.equal(`${postgresql.bin_dir}/pg_ctl`);
    expect(options).to.include.members(['stop', '--mode=fast', `--pgdata=${postgresql.data_dir}`]);
    const seconds = Number(/--timeout=(\d+)/.exec(postgresql.before_stop)?.[1]);
    expect(loop_wait + 2 * retry_timeout + seconds).to.be.below(ttl);
  });

  it('lets nobody in over the network without a password, and only the replication user replicate', () => {
    const rules: string[] = read().postgresql.pg_hba;
    const network = rules.filter((rule) => rule.startsWith('host'));
    expect(network.every((rule) => rule.endsWith('scram-sha-256'))).to.equal(true);
    expect(network.filter((rule) => /\sreplication\s/.test(rule))).to.deep.equal([
      'host replication replicator all scram-sha-256',
    ]);
  });

  describe('of members that offer TLS', () => {
    const phases = { offer: true, verify: false, pool: false, use: false, demand: false };
    const file = (tls: typeof phases, key = 'patroni-tls.yml') =>
      parse(patroniFile(platformWith(), postgres, tls).data?.[key] ?? '', { version: '1.1' });

    it('leaves the rules to what can be changed while they run', () => {
      const { postgresql, bootstrap } = file(phases);
      expect(postgresql).to.not.have.property('pg_hba');
      expect(postgresql.parameters).to.include({ ssl: 'on', ssl_min_protocol_version: 'TLSv1.2' });
      expect(bootstrap.dcs.postgresql.pg_hba.some((rule: string) => rule.startsWith('host '))).to.equal(true);
      const demanded = file({ ...phases, demand: true }).bootstrap.dcs.postgresql.pg_hba as string[];
      expect(demanded.every((rule) => rule.startsWith('local') || rule.startsWith('hostssl'))).to.equal(true);
    });

    it('verifies the primary as soon as every member has TLS, and no sooner', () => {
      const { replication } = file({ ...phases, verify: true }).postgresql.authentication;
      expect(replication).to.deep.equal({ sslmode: 'verify-ca', sslrootcert: '/etc/postgres-tls/ca.crt' });
      expect(file(phases).postgresql.authentication.replication).to.deep.equal({ sslmode: 'prefer' });
    });

    it('has no alias: Patroni adds a user of its own to each of two settings that are alike', () => {
      expect(patroniFile(platformWith(), postgres, phases).data?.['patroni-tls.yml']).to.not.match(/[&*]a\d/);
    });

    it('is beside the one of members that do not, which stays as it is', () => {
      const without = patroniFile(platformWith(), postgres).data?.['patroni.yml'];
      expect(patroniFile(platformWith(), postgres, phases).data?.['patroni.yml']).to.equal(without);
    });
  });
});
