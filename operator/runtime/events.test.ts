import { expect } from 'chai';
import { ManualClock, settle } from '../../test/support/clock.ts';
import { errorFromStatus } from '../kube/errors.ts';
import type { KubeObject } from '../kube/types.ts';
import { type EventInput, EventRecorder, type EventRecorderOptions, type KubeEvent } from './events.ts';
import { silentLogger } from './logger.ts';

const platform: KubeObject = {
  apiVersion: 'isp.support/v1alpha1',
  kind: 'IspSupportPlatform',
  metadata: { namespace: 'ns', name: 'acme', uid: 'u1', resourceVersion: '5' },
};
const failover: EventInput = {
  type: 'Warning',
  reason: 'FailoverStarted',
  action: 'Failover',
  note: 'acme-postgres-0 is gone',
};

describe('event recorder', () => {
  let clock: ManualClock;
  let created: KubeEvent[];
  let patches: { name: string; count: number | undefined }[];
  let failures: unknown[];
  let recorder: EventRecorder;

  beforeEach(() => {
    clock = new ManualClock();
    created = [];
    patches = [];
    failures = [];
    const client: EventRecorderOptions['client'] = {
      create: async (object) => {
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
        created.push(object as unknown as KubeEvent);
        return object;
      },
      patch: async <T>(ref: { name: string }, { body }: { body: unknown }) => {
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
        patches.push({ name: ref.name, count: (body as Partial<KubeEvent>).series?.count });
        return {} as T;
      },
    };
    recorder = new EventRecorder({
      client,
      controller: 'isp.support/operator',
      instance: 'pod-1',
      clock,
      logger: silentLogger,
    });
  });

  it('writes who reports what about which object', async () => {
    recorder.event(platform, failover);
    await recorder.flush();
    expect(created).to.have.length(1);
    const { metadata, ...event } = created[0] as KubeEvent;
    expect(metadata.namespace).to.equal('ns');
    expect(metadata.name).to.match(/^acme\.[0-9a-f]{16}$/);
    expect(event).to.deep.equal({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      eventTime: '2030-01-01T00:00:00.000000Z',
      reportingController: 'isp.support/operator',
      reportingInstance: 'pod-1',
      ...failover,
      regarding: {
        apiVersion: 'isp.support/v1alpha1',
        kind: 'IspSupportPlatform',
        name: 'acme',
        namespace: 'ns',
        uid: 'u1',
        resourceVersion: '5',
      },
    });
  });

  it('counts repetitions in one event and writes the count at most once a minute', async () => {
    for (let second = 0; second < 300; second += 1) {
      recorder.event(platform, failover);
      await clock.advance(1_000);
    }
    expect(created).to.have.length(1);
    expect(patches.map(({ count }) => count)).to.deep.equal([2, 61, 121, 181, 241]);
    await recorder.flush();
    expect(patches.at(-1)?.count).to.equal(300);
  });

  it('starts another event after six quiet minutes, and for anything that differs', async () => {
    recorder.event(platform, failover);
    recorder.event(platform, { ...failover, note: 'acme-postgres-1 is gone' });
    await clock.advance(6 * 60_000);
    recorder.event(platform, failover);
    await recorder.flush();
    expect(created).to.have.length(3);
  });

  it('cuts off an object that causes too many different ones, and no other object', async () => {
    for (let index = 0; index < 100; index += 1) recorder.event(platform, { ...failover, note: `number ${index}` });
    recorder.event({ ...platform, metadata: { ...platform.metadata, uid: 'u2' } }, failover);
    await recorder.flush();
    expect(created).to.have.length(26);
  });

  it('tries again while the server is busy, and gives up without harm when it refuses', async () => {
    failures.push(errorFromStatus({ code: 503 }), errorFromStatus({ code: 503 }));
    recorder.event(platform, failover);
    await clock.advance(5_000);
    expect(created).to.have.length(1);
    failures.push(errorFromStatus({ code: 403, reason: 'Forbidden' }));
    recorder.event(platform, { ...failover, note: 'refused' });
    recorder.event(platform, { ...failover, note: 'written' });
    await settle();
    expect(created.map(({ note }) => note)).to.deep.equal([failover.note, 'written']);
  });

  it('does not ask again and again for a repetition that the server refuses', async () => {
    recorder.event(platform, failover);
    await settle();
    for (let index = 0; index < 5; index += 1) failures.push(errorFromStatus({ code: 403, reason: 'Forbidden' }));
    recorder.event(platform, failover);
    await clock.advance(30_000);
    expect(failures, 'refusals that were not fetched yet').to.have.length(4);
  });

  it('waits for events only so long when it is to end', async () => {
    for (let index = 0; index < 100; index += 1) failures.push(errorFromStatus({ code: 503 }));
    recorder.event(platform, failover);
    let ended = false;
    const flushed = recorder.flush().then(() => {
      ended = true;
    });
    await clock.advance(2_900);
    expect(ended).to.equal(false);
    await clock.advance(200);
    await flushed;
  });

  it('writes what was counted while the first write was under way before it ends', async () => {
    for (let repetition = 0; repetition < 5; repetition += 1) recorder.event(platform, failover);
    await recorder.flush();
    expect(created.map(({ series }) => series?.count)).to.deep.equal([undefined]);
    expect(patches.map(({ count }) => count)).to.deep.equal([5]);
  });

  it('holds no count back for later when it is to end, though it cannot be written', async () => {
    recorder.event(platform, failover);
    await settle();
    for (let index = 0; index < 5; index += 1) failures.push(errorFromStatus({ code: 403, reason: 'Forbidden' }));
    recorder.event(platform, failover);
    await recorder.flush();
    expect(clock.pending, 'timers that keep the process').to.equal(0);
  });

  it('writes a series anew when its event has expired on the server', async () => {
    recorder.event(platform, failover);
    await recorder.flush();
    failures.push(errorFromStatus({ code: 404, reason: 'NotFound' }));
    recorder.event(platform, failover);
    await recorder.flush();
    expect(created.map(({ series }) => series?.count)).to.deep.equal([undefined, 2]);
  });

  it('shortens a note that the server would refuse, between characters', async () => {
    recorder.event(platform, { ...failover, note: 'é'.repeat(1_000) });
    await recorder.flush();
    const note = created[0]?.note ?? '';
    expect(Buffer.byteLength(note)).to.be.within(1_000, 1_024);
    expect(note).to.match(/^é+…$/);
  });
});
