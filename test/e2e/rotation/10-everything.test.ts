import { expect } from 'chai';
import { apply, eventually, getPlatform, platform, podsOf } from '../support/cluster.ts';
import { useDesk } from '../support/desk.ts';
import { inContainer } from '../support/pod-command.ts';
import { secretOf } from '../support/secrets.ts';
import { useOwn } from '../support/standing.ts';
import { underLoad } from '../support/under-load.ts';

/** Nine steps that each last ten minutes or two at least, some side by side, and the pods of the application several times. */
const ROTATION_MS = 5_400_000;
/** Tens of thousands of messages would show no more. */
const PAUSE_MS = 500;

const spec = {
  postgres: { tls: { enabled: true }, pooler: { enabled: true } },
  redis: { tls: { enabled: true } },
  rabbitmq: { tls: { enabled: true } },
};
const requests = {
  'isp.support/rotate-ca': 'once',
  'isp.support/rotate-postgres-password': 'once',
  'isp.support/rotate-redis-password': 'once',
  'isp.support/rotate-rabbitmq-password': 'once',
};

describe('a platform that gets another authority and other passwords, all at once', () => {
  const desk = useDesk();

  useOwn(spec);

  const status = async () => (await getPlatform())?.status ?? {};

  /** What a server of Redis answers who comes with the password. */
  const redisAnswer = async (password = ''): Promise<string> => {
    const [pod] = await podsOf('redis');
    if (pod === undefined) throw new Error('there is no server of Redis');
    const command = `REDISCLI_AUTH=${password} redis-cli --tls --cacert /etc/redis-tls/ca.crt ping 2>&1 || true`;
    return await inContainer(pod, 'redis', command);
  };

  it('refuses nobody meanwhile, and believes and lets in nobody by the last ones in the end', async function () {
    this.timeout(ROTATION_MS + 600_000);
    const before = { authority: (await status()).certificates?.authority, redis: await secretOf('redis') };
    const [login, broker] = [await secretOf('postgres'), await secretOf('rabbitmq')];
    await underLoad(
      desk,
      async () => {
        await apply(platform(spec, requests));
        await eventually(
          'everything replaced',
          async () => {
            const { certificates, ...engines } = await status();
            const phases = [engines.postgres, engines.redis, engines.rabbitmq].map(
              (one) => one?.passwordRotation?.phase,
            );
            const { request, phase } = certificates?.rotation ?? {};
            return request === 'once' && phase === 'Idle' && phases.every((one) => one === 'Done') ? true : undefined;
          },
          { timeoutMs: ROTATION_MS },
        );
      },
      PAUSE_MS,
    );
    const { certificates } = await status();
    expect(certificates?.authority).to.not.equal(before.authority);
    expect(certificates?.trusted).to.deep.equal([certificates?.authority]);
    expect((await secretOf('postgres'))['username']).to.not.equal(login['username']);
    expect((await secretOf('rabbitmq'))['username']).to.not.equal(broker['username']);
    expect(await redisAnswer(before.redis['password'])).to.match(/WRONGPASS/);
    expect(await redisAnswer((await secretOf('redis'))['password'])).to.match(/PONG/);
  });
});
