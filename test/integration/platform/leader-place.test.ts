import { expect } from 'chai';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { type Pod, resources } from '../../../operator/kube/resources.ts';
import type { KubeObject, ObjectRef } from '../../../operator/kube/types.ts';
import { standUntilBetterElsewhere } from '../../../operator/leader-place.ts';
import type { Platform } from '../../../operator/platform/core/platform.ts';
import { GivingWay } from '../../../operator/runtime/election.ts';
import { silentLogger } from '../../../operator/runtime/logger.ts';
import { newNamespace, useApiServer } from '../../support/apiserver/shared.ts';
import { ManualClock, settle } from '../../support/clock.ts';
import { eventually } from '../../support/eventually.ts';

const name = 'isp-support-operator';

describe('the leader beside a primary', () => {
  const server = useApiServer();
  let client: KubeClient;
  let namespace: string;
  let clock: ManualClock;
  let stop: AbortController;

  beforeEach(async () => {
    client = server.current.client;
    namespace = await newNamespace(server.current, 'place');
    clock = new ManualClock();
    stop = new AbortController();
    await pod('operator-0', 'node-a', { 'app.kubernetes.io/name': name, 'pod-template-hash': 'before' });
    await pod('acme-postgres-0', 'node-a');
  });

  async function pod(called: string, nodeName: string, labels: Record<string, string> = {}, ready = true) {
    const containers = [{ name: 'main', image: 'none' }];
    const metadata = { namespace, name: called, labels };
    await client.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName, containers } } as KubeObject);
    const status = { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] };
    await client.patch(podRef(called), { type: 'merge', subresource: 'status', body: { status } });
  }

  const podRef = (called: string): ObjectRef => ({ resource: resources.pods, namespace, name: called });

  /** What has become of the leader `operator-0` so far, and how often it has asked. */
  async function lead(): Promise<{ ended?: unknown; asked: number }> {
    const found = (await client.get<Pod>(podRef('acme-postgres-0'))) as KubeObject;
    const seen: { ended?: unknown; asked: number } = { asked: 0 };
    const counting: Pick<KubeClient, 'get' | 'list'> = {
      get: (...asked) => {
        seen.asked += 1;
        return client.get(...asked);
      },
      list: (...asked) => {
        seen.asked += 1;
        return client.list(...asked);
      },
    };
    const conditions = [
      { type: 'Ready', status: 'True' },
      { type: 'Degraded', status: 'False' },
      { type: 'Progressing', status: 'False' },
    ];
    const platform = {
      metadata: { namespace, name: 'acme' },
      status: { conditions, postgres: { primary: 'acme-postgres-0' } },
    };
    standUntilBetterElsewhere(
      {
        client: counting,
        platforms: { list: () => [platform as unknown as Platform] },
        children: { get: <T extends KubeObject>() => found as T },
        namespace,
        identity: 'operator-0',
        clock,
        logger: silentLogger,
      },
      stop.signal,
    ).catch((reason: unknown) => {
      seen.ended = reason;
    });
    await settle();
    return seen;
  }

  it('gives way to a replica on a node without one, after a minute, also to one of the next template', async () => {
    await pod('operator-1', 'node-b', { 'app.kubernetes.io/name': name, 'pod-template-hash': 'after' });
    const seen = await lead();
    await clock.advance(59_000);
    expect(seen).to.deep.equal({ asked: 0 });
    await clock.advance(1_000);
    await eventually(() =>
      expect(seen.ended).to.be.instanceOf(GivingWay).with.property('message').that.contains('operator-1'),
    );
  });

  it('stays where the other replica is not ready, and where there is none', async () => {
    await pod('operator-1', 'node-b', { 'app.kubernetes.io/name': name }, false);
    await pod('somebody', 'node-b');
    const seen = await lead();
    for (const asked of [2, 4]) {
      await clock.advance(60_000);
      await eventually(() => expect(seen.asked).to.equal(asked));
      // It sleeps again once both answers are there.
      await eventually(() => expect(clock.pending).to.equal(1));
    }
    expect(seen.ended).to.equal(undefined);
    const reason = new Error('the term has ended');
    stop.abort(reason);
    await eventually(() => expect(seen.ended).to.equal(reason));
  });
});
