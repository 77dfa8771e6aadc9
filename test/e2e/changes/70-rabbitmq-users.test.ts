import { expect } from 'chai';
import { resources } from '../../../operator/kube/resources.ts';
import { OPERATOR_USER } from '../../../operator/platform/rabbitmq/names.ts';
import { client, eventually, healthy, NAMESPACE } from '../support/cluster.ts';
import { useDesk } from '../support/desk.ts';
import { startPortForward } from '../support/forward.ts';
import { secretOf } from '../support/secrets.ts';
import { useStanding } from '../support/standing.ts';
import { underLoad } from '../support/under-load.ts';

describe('a platform whose users of RabbitMQ somebody deletes', () => {
  const desk = useDesk();

  useStanding();

  /** The status that the management API answers with, asked as the user of one of the platform's Secrets. */
  const ask = async (
    { username = '', password = '' }: Readonly<Record<string, string>>,
    path: string,
    method = 'GET',
  ): Promise<number> => {
    const forward = await startPortForward(NAMESPACE, 'service/acme-rabbitmq', 15672);
    try {
      const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      const url = `http://127.0.0.1:${forward.port}/api/${path}`;
      return (await fetch(url, { method, headers: { authorization } })).status;
    } finally {
      await forward.stop();
    }
  };

  const letsIn = async (secret: string): Promise<void> => {
    await eventually(`the login of acme-${secret} accepted`, async () =>
      (await ask(await secretOf(secret), 'whoami')) === 200 ? true : undefined,
    );
  };

  it('keeps every message when the application’s user is deleted', async () => {
    const admin = await secretOf('rabbitmq-admin');
    const { username = '' } = await secretOf('rabbitmq');
    await underLoad(desk, async () => {
      expect(await ask(admin, `users/${username}`, 'DELETE')).to.equal(204);
      await letsIn('rabbitmq');
    });
  });

  it('makes the operator’s own user anew, also with another password', async () => {
    expect(await ask(await secretOf('rabbitmq'), `users/${OPERATOR_USER}`, 'DELETE')).to.equal(204);
    await letsIn('rabbitmq-admin');
    const before = await secretOf('rabbitmq-admin');
    await underLoad(desk, async () => {
      await client.delete({ resource: resources.secrets, namespace: NAMESPACE, name: 'acme-rabbitmq-admin' });
      await eventually('another password', async () => {
        const { password = before['password'] } = await secretOf('rabbitmq-admin');
        return password === before['password'] ? undefined : true;
      });
      await letsIn('rabbitmq-admin');
    });
    expect(await ask(before, 'whoami')).to.equal(401);
    await healthy();
  });
});
