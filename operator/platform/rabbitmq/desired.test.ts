import { expect } from 'chai';
import type { ConfigMap, StatefulSet } from '../../kube/resources.ts';
import { desiredObjects } from './desired.ts';
import { effective, platform } from './testing/fixtures.ts';

const objects = desiredObjects(platform, effective, {
  nodes: 3,
  storage: { size: '2Gi' },
  formed: true,
  critical: false,
  left: [],
});
const set = objects.find(({ kind }) => kind === 'StatefulSet') as StatefulSet;
const config = objects.find(({ kind }) => kind === 'ConfigMap') as ConfigMap;
const pod = set.spec?.template.spec;
const containers = [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])];

describe('the objects of RabbitMQ', () => {
  it('start all nodes at the same time, and keep the volumes whatever happens to the set', () => {
    expect(set.spec?.podManagementPolicy).to.equal('Parallel');
    expect(set.spec?.persistentVolumeClaimRetentionPolicy).to.deep.equal({
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
    });
  });

  it('run under the restricted Pod Security Standard with nothing writable but volumes', () => {
    expect(pod?.securityContext).to.include({ runAsNonRoot: true, runAsUser: 999, fsGroup: 999 });
    expect(containers).to.have.length(2);
    for (const { securityContext } of containers)
      expect(securityContext).to.deep.include({
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
  });

  it('have no access to the API server, which peer discovery does not need', () => {
    expect(pod?.automountServiceAccountToken).to.equal(false);
  });

  it('name nodes without the domain of the cluster', () => {
    const env = Object.fromEntries(containers[1]?.env?.map(({ name, value }) => [name, value]) ?? []);
    expect(env['RABBITMQ_NODENAME']).to.equal('rabbit@$(POD_NAME).acme-rabbitmq-nodes.support.svc');
    expect(JSON.stringify(objects)).not.to.include('cluster.local');
  });

  it('put the pod name into the environment before what is made of it', () => {
    const names = containers[0]?.env?.map(({ name }) => name) ?? [];
    expect(names.indexOf('POD_NAME')).to.be.lessThan(names.indexOf('RABBITMQ_NODENAME'));
  });

  it('list every node for those that look for peers', () => {
    expect(config.data?.['nodes']).to.equal(
      [0, 1, 2].map((ordinal) => `acme-rabbitmq-${ordinal}.acme-rabbitmq-nodes.support.svc\n`).join(''),
    );
    expect(config.data?.['founder']).to.equal('');
  });

  it('take the password from the Secret alone', () => {
    expect(pod?.volumes?.find(({ name }) => name === 'secret')?.secret?.secretName).to.equal('acme-rabbitmq');
    expect(JSON.stringify(config.data)).not.to.include('default_pass');
  });
});
