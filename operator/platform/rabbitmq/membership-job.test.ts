import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Job } from '../../kube/resources.ts';
import { selectorLabels } from '../core/names.ts';
import { type MembershipVerb, membershipJob, membershipScript, readMembershipJob } from './membership-job.ts';
import { effective, platform } from './testing/fixtures.ts';

const work = { verb: 'shrink', pod: 'acme-rabbitmq-4', through: 'acme-rabbitmq-0' } as const;
const job = membershipJob(platform, effective.rabbitmq, work);
const template = job.spec?.template;

describe('the Job that changes who belongs to the cluster', () => {
  it('is named after what it does and the node', () => {
    expect(job.metadata.name).to.equal('acme-rabbitmq-shrink-4');
  });

  it('has pods that nothing takes for nodes', () => {
    const { labels } = template?.metadata ?? {};
    expect(labels).to.include({ 'isp.support/platform': 'acme' });
    expect(labels).not.to.include(selectorLabels(platform, 'rabbitmq'));
  });

  it('runs under the restricted Pod Security Standard, with the cookie and nothing else that is secret', () => {
    const [container] = template?.spec?.containers ?? [];
    expect(template?.spec?.automountServiceAccountToken).to.equal(false);
    expect(template?.spec?.securityContext).to.include({ runAsNonRoot: true, runAsUser: 999 });
    expect(container?.securityContext).to.include({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
    const items = template?.spec?.volumes?.flatMap(({ secret }) => secret?.items ?? []);
    expect(items?.map(({ key }) => key)).to.deep.equal(['erlang-cookie']);
  });

  it('ends by itself', () => {
    expect(job.spec?.activeDeadlineSeconds).to.be.a('number');
    expect(job.spec?.backoffLimit).to.be.a('number');
  });

  it('is running until it is complete or has failed', () => {
    const seen = (status: Job['status']) =>
      readMembershipJob({ ...job, metadata: { ...job.metadata, uid: 'u' }, ...(status ? { status } : {}) } as Job)[0]
        ?.state;
    const condition = (type: string) => ({ conditions: [{ type, status: 'True' }] });
    expect(seen(undefined)).to.equal('running');
    expect(seen(condition('FailureTarget'))).to.equal('running');
    expect(seen(condition('Complete'))).to.equal('succeeded');
    expect(seen(condition('Failed'))).to.equal('failed');
  });

  describe('runs', () => {
    let folder: string;

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'membership-'));
      for (const name of ['home', 'secret', 'bin']) mkdirSync(join(folder, name));
      writeFileSync(join(folder, 'secret', 'erlang-cookie'), 'cookie');
      for (const name of ['rabbitmqctl', 'rabbitmq-queues'])
        writeFileSync(join(folder, 'bin', name), `#!/bin/sh\necho ${name} "$@"\n`, { mode: 0o755 });
    });

    afterEach(() => rmSync(folder, { recursive: true }));

    function said(verb: MembershipVerb): string {
      const script = membershipScript({ home: join(folder, 'home'), secret: join(folder, 'secret') });
      const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH']}` };
      const { status, stdout } = spawnSync('bash', ['-c', script, verb, 'a@x', 'b@x'], { env });
      expect(status).to.equal(0);
      return String(stdout).trim();
    }

    it('one command of RabbitMQ’s own, and tells the cookie to its owner alone', () => {
      expect(said('grow')).to.equal('rabbitmq-queues --longnames --node a@x grow b@x all');
      expect(said('shrink')).to.equal('rabbitmq-queues --longnames --node a@x shrink b@x');
      expect(said('forget')).to.equal('rabbitmqctl --longnames --node a@x forget_cluster_node b@x');
      expect(statSync(join(folder, 'home', '.erlang.cookie')).mode & 0o777).to.equal(0o400);
    });
  });
});
