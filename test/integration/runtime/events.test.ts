import { expect } from 'chai';
import { type ConfigMap, resources } from '../../../operator/kube/resources.ts';
import { EventRecorder, type KubeEvent } from '../../../operator/runtime/events.ts';
import { silentLogger } from '../../../operator/runtime/logger.ts';
import { newNamespace, useApiServer } from '../../support/apiserver/shared.ts';

describe('events against a real API server', () => {
  const server = useApiServer();

  it('are accepted, and repeated ones become a series that kubectl shows as a count', async () => {
    const { client } = server.current;
    const namespace = await newNamespace(server.current, 'events');
    const metadata = { namespace, name: 'acme' };
    const platform = await client.create<ConfigMap>({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
    const recorder = new EventRecorder({ client, controller: 'isp.support/operator', logger: silentLogger });
    const failover = { type: 'Warning', reason: 'FailoverStarted', action: 'Failover', note: 'é'.repeat(800) } as const;
    for (let repetition = 0; repetition < 5; repetition += 1)
      recorder.event(platform, { ...failover, related: platform });
    recorder.event(platform, { ...failover, type: 'Normal', reason: 'FailoverDone', note: 'done' });
    await recorder.flush();
    await recorder.flush();
    const { items } = await client.list<KubeEvent>(resources.events, { namespace });
    const series = items.find(({ reason }) => reason === 'FailoverStarted');
    expect(items).to.have.length(2);
    expect(series?.series?.count).to.equal(5);
    expect(series?.regarding).to.include({ name: 'acme', uid: platform.metadata.uid });
  });
});
