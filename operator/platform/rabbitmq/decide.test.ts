import { expect } from 'chai';
import type { ConfigMap, PersistentVolumeClaim, Service, StatefulSet } from '../../kube/resources.ts';
import type { ComponentPlan } from '../core/component.ts';
import { decide } from './decide.ts';
import type { Observed } from './observe.ts';
import {
  answer,
  claims,
  effective,
  healthyCluster,
  member,
  NOW,
  observed,
  platform,
  pod,
  silentPod,
} from './testing/fixtures.ts';

function plan(fields: Partial<Observed> = {}): ComponentPlan {
  return decide(platform, effective, observed(fields), []);
}

function object<T>(of: ComponentPlan, kind: string, name = 'acme-rabbitmq'): T {
  return of.objects.find((candidate) => candidate.kind === kind && candidate.metadata.name === name) as T;
}

function founder(of: ComponentPlan): string | undefined {
  return object<ConfigMap>(of, 'ConfigMap').data?.['founder'];
}

function isLetIn(of: ComponentPlan): boolean {
  return object<Service>(of, 'Service').spec?.selector?.['isp.support/rabbitmq'] === undefined;
}

const beforeFirstStart: Partial<Observed> = { claims: [], pods: [], open: false };

describe('the plan for RabbitMQ', () => {
  it('makes nothing before there is a password', () => {
    const { live: _, ...nothingThere } = observed({ hasCredentials: false, claims: [], pods: [], open: false });
    const before = decide(platform, effective, nothingThere, [{ component: 'credentials', reason: 'Creating' }]);
    expect(before.objects).to.deep.equal([]);
    expect(before.condition).to.include({ status: 'False', reason: 'WaitingForCredentials', progressing: true });
  });

  it('looks after what runs even when its Secret is gone', () => {
    expect(plan({ hasCredentials: false }).objects.map(({ kind }) => kind)).to.include('StatefulSet');
  });

  it('is healthy, silent and the same every time when all nodes run in one cluster', () => {
    const healthy = plan();
    expect(healthy.condition).to.deep.equal({
      type: 'RabbitMQReady',
      status: 'True',
      reason: 'Healthy',
      message: 'all 3 nodes run in one cluster',
    });
    expect(healthy.actions).to.deep.equal([]);
    expect(healthy.status?.rabbitmq?.runningNodes).to.deep.equal([
      'acme-rabbitmq-0',
      'acme-rabbitmq-1',
      'acme-rabbitmq-2',
    ]);
    expect(plan()).to.deep.equal(healthy);
  });

  describe('founding a cluster', () => {
    it('is for the first node while no volume has belonged to a member', () => {
      const host = 'acme-rabbitmq-0.acme-rabbitmq-nodes.support.svc';
      expect(founder(plan(beforeFirstStart))).to.equal(host);
      expect(founder(plan({ ...beforeFirstStart, claims: claims(false, false, false) }))).to.equal(host);
    });

    it('is for nobody once any volume has, though the first node has lost its own', () => {
      expect(founder(plan({ claims: claims(false, true, true), pods: [silentPod(0), pod(1), pod(2)] }))).to.equal('');
      expect(founder(plan({ claims: claims(true, false, false), pods: [pod(0)], open: false }))).to.equal('');
    });

    it('is noted on the volume of each node that runs in the cluster', () => {
      const { objects } = plan({ claims: claims(true, false, false), pods: [pod(0), pod(1), silentPod(2)] });
      const marked = objects.filter(({ kind }) => kind === 'PersistentVolumeClaim');
      expect(marked.map(({ metadata }) => [metadata.name, metadata.uid, metadata.annotations])).to.deep.equal([
        ['data-acme-rabbitmq-1', 'claim-1', { 'isp.support/rabbitmq-member': 'true' }],
      ]);
    });

    it('is noted on no volume while there are two clusters', () => {
      const stray = pod(2, { answer: answer(2, [member(2)]) });
      const others = [0, 1].map((ordinal) => pod(ordinal, { answer: answer(ordinal, [member(0), member(1)]) }));
      const { objects } = plan({ claims: claims(true, true, false), pods: [...others, stray] });
      expect(objects.some(({ kind }) => kind === 'PersistentVolumeClaim')).to.equal(false);
    });
  });

  describe('the client Service', () => {
    it('leads nowhere until all nodes have come together', () => {
      expect(isLetIn(plan(beforeFirstStart))).to.equal(false);
      const two = { claims: claims(true, true, false), pods: [pod(0), pod(1), silentPod(2)], open: false };
      expect(isLetIn(plan(two))).to.equal(false);
      expect(plan(two).condition).to.include({ status: 'False', reason: 'WaitingForPods', progressing: true });
    });

    it('opens with the last node', () => {
      const three = plan({ claims: claims(true, true, false), open: false });
      expect(isLetIn(three)).to.equal(true);
      expect(three.condition.status).to.equal('True');
    });

    it('stays open whatever is lost later on', () => {
      expect(isLetIn(plan({ pods: [], claims: [] }))).to.equal(true);
    });

    it('opens at once over volumes that have all belonged to members', () => {
      expect(isLetIn(plan({ pods: [], open: false }))).to.equal(true);
    });
  });

  describe('the condition', () => {
    it('serves with less redundancy when one of three nodes is down, and says which', () => {
      const { condition } = plan({ pods: [pod(0), silentPod(1), pod(2)] });
      expect(condition).to.include({ status: 'True', reason: 'NodesDown', degraded: true });
      expect(condition.message).to.equal('2 of 3 nodes run; pod acme-rabbitmq-1 is not ready');
    });

    it('does not serve without a majority', () => {
      const { condition } = plan({ pods: [pod(0), silentPod(1), silentPod(2, { joining: true })] });
      expect(condition).to.include({ status: 'False', reason: 'WaitingForPods', degraded: true });
      expect(condition.message).to.include('1 of 3 nodes run; 2 are needed for a quorum');
      expect(condition.message).to.include('pod acme-rabbitmq-2 has an empty volume and waits');
    });

    it('takes a node that refuses clients for one that does not run', () => {
      const refusing = pod(1, {
        answer: { ...answer(1, []), amqpProblem: { kind: 'refused', message: 'refuses AMQP connections' } },
      });
      const { condition } = plan({ pods: [pod(0), refusing, pod(2)] });
      expect(condition.message).to.equal('2 of 3 nodes run; pod acme-rabbitmq-1 refuses AMQP connections');
    });

    it('does not count the answer of a pod that is on its way out', () => {
      const leaving = pod(1, { deleting: true, notReady: 'pod acme-rabbitmq-1 is being deleted' });
      const { condition, status } = plan({ pods: [pod(0), leaving, pod(2)] });
      expect(status?.rabbitmq?.runningNodes).to.deep.equal(['acme-rabbitmq-0', 'acme-rabbitmq-2']);
      expect(condition.message).to.equal('2 of 3 nodes run; pod acme-rabbitmq-1 is being deleted');
    });

    it('names the node that has a cluster of its own', () => {
      const old = [member(0, { running: false }), member(1), member(2)];
      const stray = pod(0, { answer: answer(0, [member(0)]) });
      const others = [1, 2].map((ordinal) => pod(ordinal, { answer: answer(ordinal, old) }));
      const { condition } = plan({ pods: [stray, ...others] });
      expect(condition).to.include({ status: 'False', reason: 'NodesNotClustered' });
      expect(condition.message).to.match(
        /^acme-rabbitmq-0 has a cluster apart from that of acme-rabbitmq-1, acme-rabbitmq-2/,
      );
    });

    it('names the nodes that went on while the network was cut', () => {
      const torn = pod(2, {
        answer: answer(2, [member(0), member(1), member(2, { partitions: ['acme-rabbitmq-0'] })]),
      });
      const { condition } = plan({ pods: [pod(0), pod(1), torn] });
      expect(condition).to.include({ status: 'False', reason: 'Partitioned' });
      expect(condition.message).to.include('acme-rabbitmq-2 went on');
    });

    it('says that publishers are held back, and by which node', () => {
      const full = pod(1, { answer: answer(1, [member(0), member(1, { alarms: ['disk'] }), member(2)]) });
      const { condition } = plan({ pods: [pod(0), full, pod(2)] });
      expect(condition).to.include({ status: 'False', reason: 'AlarmInEffect' });
      expect(condition.message).to.include('acme-rabbitmq-1 has too little free disk');
    });

    it('reports pods that are being replaced as progress', () => {
      const { condition } = plan({ live: { replicas: 3, storage: effective.rabbitmq.storage, rolling: true } });
      expect(condition).to.include({ status: 'True', reason: 'Healthy', progressing: true });
    });
  });

  describe('the vhost', () => {
    it('is made when it is missing, through a node that runs', () => {
      const problem = { kind: 'vhost', message: 'does not let its user into the vhost' } as const;
      const pods = [0, 1, 2].map((ordinal) => {
        const shut = pod(ordinal);
        return { ...shut, answer: { ...answer(ordinal, [member(0), member(1), member(2)]), amqpProblem: problem } };
      });
      const missing = plan({ pods, cluster: { ...healthyCluster, vhost: false, permitted: false } });
      expect(missing.actions).to.deep.equal([{ type: 'rabbitmq.ensure-vhost', host: '10.0.0.10' }]);
      expect(missing.condition).to.include({ status: 'False', reason: 'VhostMissing' });
    });

    it('is repaired when its user has lost the permissions', () => {
      const closed = plan({ cluster: { ...healthyCluster, permitted: false } });
      expect(closed.actions).to.have.length(1);
      expect(closed.condition.message).to.include('permissions');
    });

    it('gets quorum queues by default where the version can change that, and is left alone where it cannot', () => {
      const { defaultQueueType: _, ...unset } = healthyCluster;
      expect(plan({ cluster: unset }).actions).to.have.length(1);
      expect(plan({ cluster: { ...unset, version: '3.10.8' } }).actions).to.deep.equal([]);
    });
  });

  describe('a change of the resource', () => {
    it('adds nodes', () => {
      const grown = plan({ wanted: { ...effective.rabbitmq, nodes: 5 } });
      expect(object<StatefulSet>(grown, 'StatefulSet').spec?.replicas).to.equal(5);
      expect(object<ConfigMap>(grown, 'ConfigMap').data?.['nodes']?.trim().split('\n')).to.have.length(5);
      expect(isLetIn(grown)).to.equal(true);
    });

    it('restarts no node that runs in order to add one', () => {
      const hash = (of: ComponentPlan): unknown =>
        object<StatefulSet>(of, 'StatefulSet').spec?.template.metadata?.annotations?.['isp.support/config-hash'];
      expect(hash(plan({ wanted: { ...effective.rabbitmq, nodes: 5 } }))).to.equal(hash(plan()));
    });

    it('takes nodes away by a Job at a time, and says how far it is', () => {
      const five = [0, 1, 2, 3, 4];
      const view = five.map((ordinal) => member(ordinal));
      const replicas = Object.fromEntries(five.map((ordinal) => [`acme-rabbitmq-${ordinal}`, 2]));
      const shrinking = plan({
        live: { replicas: 5, storage: effective.rabbitmq.storage, rolling: false },
        claims: claims(true, true, true, true, true),
        pods: five.map((ordinal) => pod(ordinal, { answer: answer(ordinal, view) })),
        cluster: { ...healthyCluster, placement: { ...healthyCluster.placement, replicas } },
      });
      expect(object<StatefulSet>(shrinking, 'StatefulSet').spec?.replicas).to.equal(5);
      expect(shrinking.creates?.map(({ metadata }) => metadata.name)).to.deep.equal(['acme-rabbitmq-shrink-4']);
      expect(shrinking.condition).to.include({ status: 'True', reason: 'ScalingIn', progressing: true });
      expect(shrinking.condition.message).to.equal(
        '5 nodes become 3: the replicas on acme-rabbitmq-4 are taken away, before it is stopped',
      );
      expect(shrinking.status?.rabbitmq?.membership).to.deep.equal({ name: 'Shrinking', node: 'acme-rabbitmq-4' });
    });

    it('marks the volume of a node that was struck off, and has its data discarded when it is used again', () => {
      const marked = plan({ claims: claims(true, true, true, true) });
      const claim = object<PersistentVolumeClaim>(marked, 'PersistentVolumeClaim', 'data-acme-rabbitmq-3');
      expect(claim.metadata.annotations).to.deep.equal({ 'isp.support/rabbitmq-left': NOW.toISOString() });
      expect(object<ConfigMap>(marked, 'ConfigMap').data).not.to.have.property('left');
      const [last] = claims(false).map((one) => ({ ...one, ordinal: 3, left: '2026-03-01T12:00:00.000Z' }));
      const later = plan({ claims: [...claims(true, true, true), ...(last === undefined ? [] : [last])] });
      expect(object<ConfigMap>(later, 'ConfigMap').data?.['left']).to.equal(
        'acme-rabbitmq-3.acme-rabbitmq-nodes.support.svc 2026-03-01T12:00:00.000Z\n',
      );
    });

    it('takes no node away of the last three, and says so', () => {
      const shrunk = plan({ wanted: { ...effective.rabbitmq, nodes: 1 } });
      expect(object<StatefulSet>(shrunk, 'StatefulSet').spec?.replicas).to.equal(3);
      expect(shrunk.condition).to.include({ status: 'True', reason: 'ScaleInRefused' });
      expect(shrunk.condition.message).to.match(/^spec.rabbitmq.nodes asks for 1 and 3 nodes are kept/);
    });

    it('keeps the volumes as they are, and says so', () => {
      const grown = plan({ wanted: { ...effective.rabbitmq, storage: { size: '9Gi' } } });
      const [claim] = object<StatefulSet>(grown, 'StatefulSet').spec?.volumeClaimTemplates ?? [];
      expect(claim?.spec?.resources?.requests).to.deep.equal({ storage: effective.rabbitmq.storage.size });
      expect(grown.condition).to.include({ status: 'True', reason: 'StorageChangePending' });
    });
  });
});
