import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ManifestError, plan, platformsIn } from './plan-command.ts';
import type { Outcome } from './status-command.ts';

const HEAD = 'apiVersion: isp.support/v1alpha1\nkind: IspSupportPlatform\nmetadata: {name: acme}\n';

describe('kubectl isp plan', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'plan-'));
  });

  after(() => rmSync(folder, { recursive: true }));

  async function planOf(spec: string, json = false): Promise<Outcome> {
    const file = join(folder, 'platform.yaml');
    writeFileSync(file, `${HEAD}spec: ${spec}\n`);
    return await plan({ command: 'plan', source: { file }, json }, () => {
      throw new Error('a file needs no cluster');
    });
  }

  function line(text: string, start: string): string[] {
    return (
      text
        .split('\n')
        .find((candidate) => candidate.startsWith(start))
        ?.split(/ {2,}/) ?? []
    );
  }

  it('shows the sizes that the tier gives', async () => {
    const { text, exitCode } = await planOf('{customers: 10000}');
    expect(exitCode).to.equal(0);
    expect(text).to.match(/^acme: 10000 customers, tier 10000\n/);
    expect(line(text, 'rabbitmq').slice(0, 5)).to.deep.equal(['rabbitmq', '3', '1 / -', '2Gi / 2Gi', '20Gi']);
    expect(line(text, 'api')[1]).to.equal('4-12');
    expect(text).to.match(/^ {2}shared_buffers +4GB$/m);
  });

  it('shows what the user set in place of that', async () => {
    const { text } = await planOf(
      '{rabbitmq: {nodes: 5, storage: {size: 7Gi, storageClassName: fast}}, api: {replicas: 2}}',
    );
    expect(line(text, 'rabbitmq')[1]).to.equal('5');
    expect(line(text, 'rabbitmq')[4]).to.equal('7Gi fast');
    expect(line(text, 'api')[1]).to.equal('2');
  });

  it('adds up what all pods are promised', async () => {
    const workers = 'workers: [{name: a, queues: [q], replicas: 2, resources: {requests: {cpu: 500m, memory: 1Gi}}}]';
    const one = line((await planOf(`{${workers}}`)).text, 'Promised in all:')[0] ?? '';
    const two =
      line((await planOf(`{${workers.replace('replicas: 2', 'replicas: 4')}}`)).text, 'Promised in all:')[0] ?? '';
    const numbers = (text: string): number[] => (text.match(/[\d.]+/g) ?? []).map(Number);
    const [podsBefore = 0, cpuBefore = 0, memoryBefore = 0] = numbers(one);
    const [pods = 0, cpu = 0, memory = 0] = numbers(two);
    expect(
      [pods - podsBefore, cpu - cpuBefore, memory - memoryBefore].map((n) => Math.round(n * 100) / 100),
    ).to.deep.equal([2, 1, 2]);
  });

  it('says what does not fit together, and fails', async () => {
    const { text, exitCode } = await planOf('{redis: {maxMemory: 900gb}}');
    expect(exitCode).to.equal(1);
    expect(text).to.include('Does not fit: spec.redis.maxMemory is 900gb');
  });

  it('gives programs the effective values', async () => {
    const { items } = JSON.parse((await planOf('{customers: 1000}', true)).text);
    expect(items[0]).to.deep.include({ name: 'acme', findings: [] });
    expect(items[0].effective.tier).to.equal(1000);
  });

  it('finds the platforms among other documents', () => {
    expect(platformsIn(`kind: Namespace\n---\n${HEAD}---\n${HEAD}`)).to.have.length(2);
  });

  it('names the fields that cannot be', () => {
    const bad = `${HEAD}spec: {customers: -1, redis: {shardz: 3}}`;
    expect(() => platformsIn(bad)).to.throw(ManifestError, /spec\.customers: .*\nspec\.redis: .*shardz/);
  });

  it('says that a file has no platform, or is no YAML', () => {
    expect(() => platformsIn('kind: Namespace')).to.throw(ManifestError, 'no IspSupportPlatform');
    expect(() => platformsIn('a: [')).to.throw(ManifestError);
  });
});
