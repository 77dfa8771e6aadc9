import { connect } from 'node:net';
import { expect } from 'chai';
import { type Pod, resources } from '../../../operator/kube/resources.ts';
import { presentedOn } from '../../../operator/platform/certificates/presented.ts';
import {
  apply,
  client,
  deletePod,
  eventually,
  getPlatform,
  healthy,
  NAMESPACE,
  platform,
  podsOf,
} from '../support/cluster.ts';
import { useDesk } from '../support/desk.ts';
import { startPortForward } from '../support/forward.ts';
import { inContainer } from '../support/pod-command.ts';
import { applicationUrl } from '../support/secrets.ts';
import { useStanding } from '../support/standing.ts';
import { underLoad } from '../support/under-load.ts';

/** Two rounds of replacing three nodes, and one of the application's pods. */
const CHANGEOVER_MS = 1_200_000;

describe('a platform whose RabbitMQ speaks TLS', () => {
  const desk = useDesk();

  useStanding();

  const nodes = async (): Promise<Pod[]> =>
    (await podsOf('rabbitmq')).filter(({ metadata }) => /-rabbitmq-\d$/.test(metadata.name));

  /** When every node's pod listens so: `only` with TLS, `on` with and without, undefined without. */
  const listening = async (wanted: string | undefined): Promise<void> =>
    await eventually(
      `pods with ${wanted ?? 'no'} TLS`,
      async () => {
        const found = (await nodes()).map(({ metadata }) => metadata.annotations?.['isp.support/tls']);
        return found.length === 3 && found.every((value) => value === wanted) ? true : undefined;
      },
      { timeoutMs: CHANGEOVER_MS },
    ).then(() => undefined);

  const answers = async (pod: Pod, port: number): Promise<boolean> => {
    const command = `timeout 2 bash -c 'exec 3<>/dev/tcp/localhost/${port}' 2>/dev/null && echo yes || echo no`;
    return (await inContainer(pod, 'rabbitmq', command)).trim() === 'yes';
  };

  const anyNode = async (): Promise<Pod> => {
    const [pod] = await nodes();
    if (pod === undefined) throw new Error('there is no node');
    return pod;
  };

  const issued = async (): Promise<string | undefined> =>
    (await getPlatform())?.status?.certificates?.leaves.find(({ name }) => name === 'acme-rabbitmq-tls')?.id;

  const shownBy = async (pod: string): Promise<string> => {
    const forward = await startPortForward(NAMESPACE, `pod/${pod}`, 5671);
    const socket = connect({ host: '127.0.0.1', port: forward.port });
    try {
      return await presentedOn(socket, AbortSignal.timeout(5_000));
    } finally {
      socket.destroy();
      await forward.stop();
    }
  };

  it('is changed over to it while clients write, until nothing else is listened for', async function () {
    this.timeout(2 * CHANGEOVER_MS);
    await underLoad(desk, async () => {
      await apply(platform({ rabbitmq: { tls: { enabled: true } } }));
      await listening('only');
      await healthy();
    });
    expect(await applicationUrl('CELERY_BROKER_URL')).to.include({ protocol: 'amqps:', port: '5671' });
    const pod = await anyNode();
    for (const port of [5671, 15671]) expect(await answers(pod, port), `port ${port}`).to.equal(true);
    for (const port of [5672, 15672]) expect(await answers(pod, port), `port ${port}`).to.equal(false);
  });

  it('keeps every message when a node’s pod is deleted by force', async () => {
    await underLoad(desk, async () => await deletePod(await anyNode(), 0));
  });

  it('shows a certificate that is issued anew on every node, none of which is replaced', async () => {
    const uids = async () => (await nodes()).map(({ metadata }) => `${metadata.name} ${metadata.uid}`);
    const before = await uids();
    await underLoad(desk, async () => {
      const last = await issued();
      await client.delete({ resource: resources.secrets, namespace: NAMESPACE, name: 'acme-rabbitmq-tls' });
      const next = await eventually('another certificate', async () => {
        const id = await issued();
        return id === last ? undefined : id;
      });
      for (const { metadata } of await nodes())
        await eventually(`the new certificate on ${metadata.name}`, async () =>
          (await shownBy(metadata.name)) === next ? true : undefined,
        );
    });
    expect(await uids()).to.have.members(before);
  });

  it('is changed back while clients write', async function () {
    this.timeout(2 * CHANGEOVER_MS);
    await underLoad(desk, async () => {
      await apply(platform());
      await listening(undefined);
      await healthy();
    });
    expect(await applicationUrl('CELERY_BROKER_URL')).to.include({ protocol: 'amqp:', port: '5672' });
  });
});
