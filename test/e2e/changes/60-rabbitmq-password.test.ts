import { connect } from 'amqplib';
import { expect } from 'chai';
import { apply, deletePod, eventually, getPlatform, healthy, NAMESPACE, platform, podsOf } from '../support/cluster.ts';
import { useDesk } from '../support/desk.ts';
import { startPortForward } from '../support/forward.ts';
import { secretOf } from '../support/secrets.ts';
import { useStanding } from '../support/standing.ts';
import { underLoad } from '../support/under-load.ts';

/** Three times two minutes, and the application's pods in between. */
const ROTATION_MS = 900_000;
/** Tens of thousands of messages would show no more. */
const PAUSE_MS = 500;

describe('a platform whose password of RabbitMQ is rotated', () => {
  const desk = useDesk();

  useStanding();

  const phase = async (): Promise<string | undefined> =>
    (await getPlatform())?.status?.rabbitmq?.passwordRotation?.phase;

  /** Why one is not let in; undefined when one is. */
  const refusal = async ({
    username = '',
    password = '',
    vhost = '',
  }: Record<string, string>): Promise<string | undefined> => {
    const forward = await startPortForward(NAMESPACE, 'service/acme-rabbitmq', 5672);
    try {
      const connection = await connect({ hostname: '127.0.0.1', port: forward.port, username, password, vhost });
      await connection.close();
      return undefined;
    } catch (error) {
      return (error as Error).message;
    } finally {
      await forward.stop();
    }
  };

  const nodes = async (): Promise<string[]> =>
    (await podsOf('rabbitmq'))
      .filter(({ metadata }) => /-rabbitmq-\d$/.test(metadata.name))
      .map(({ metadata }) => `${metadata.name} ${metadata.uid}`)
      .toSorted((a, b) => (a < b ? -1 : 1));

  it('gets a new one while clients write, no node is restarted, and the last one is revoked', async function () {
    this.timeout(2 * ROTATION_MS);
    const [before, uids] = [await secretOf('rabbitmq'), await nodes()];
    await underLoad(
      desk,
      async () => {
        await apply(platform({}, { 'isp.support/rotate-rabbitmq-password': 'once' }));
        await eventually('the last login revoked', async () => ((await phase()) === 'Done' ? true : undefined), {
          timeoutMs: ROTATION_MS,
        });
      },
      PAUSE_MS,
    );
    const after = await secretOf('rabbitmq');
    expect([before['username'], after['username']]).to.have.members(['isp_support', 'isp_support_alt']);
    expect(await refusal(after)).to.equal(undefined);
    expect(await refusal(before)).to.match(/ACCESS.REFUSED/);
    expect(await nodes()).to.deep.equal(uids);
  });

  it('keeps every message when a node is ended by force in the middle, and it comes back with both', async function () {
    this.timeout(2 * ROTATION_MS);
    const before = await secretOf('rabbitmq');
    await underLoad(
      desk,
      async () => {
        await apply(platform({}, { 'isp.support/rotate-rabbitmq-password': 'twice' }));
        await eventually('the next login in force', async () => ((await phase()) === 'Retiring' ? true : undefined), {
          timeoutMs: ROTATION_MS,
        });
        const [pod] = (await podsOf('rabbitmq')).filter(({ metadata }) => metadata.name.endsWith('-rabbitmq-0'));
        if (pod === undefined) throw new Error('there is no node');
        await deletePod(pod, 0);
        await eventually('the last login revoked', async () => ((await phase()) === 'Done' ? true : undefined), {
          timeoutMs: ROTATION_MS,
        });
      },
      PAUSE_MS,
    );
    await healthy();
    expect((await secretOf('rabbitmq'))['username']).not.to.equal(before['username']);
    expect(await refusal(await secretOf('rabbitmq'))).to.equal(undefined);
    expect(await refusal(before)).to.match(/ACCESS.REFUSED/);
  });
});
