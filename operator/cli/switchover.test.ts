import { expect } from 'chai';
import { ManualClock } from '../../test/support/clock.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Platform, SwitchoverStatus } from '../platform/core/platform.ts';
import { NotFoundError } from './status-command.ts';
import { switchover } from './switchover-command.ts';

const REQUEST = 'any/2030-01-01T00:00:00.000Z';

/** A server whose operator has answered by the time that it is asked. */
function serverWith(last: SwitchoverStatus | undefined) {
  const patched: unknown[] = [];
  const client = {
    get: async () => (last === undefined ? undefined : ({ status: { lastSwitchover: last } } as Platform)),
    patch: async (_: unknown, { body }: { body: unknown }) => void patched.push(body),
  } as unknown as Pick<KubeClient, 'get' | 'patch'>;
  return { client, patched };
}

const command = { command: 'switchover', name: 'acme', json: false } as const;
const done = { request: REQUEST, finishedAt: '2030-01-01T00:00:02Z' };

describe('kubectl isp switchover', () => {
  it('asks with a new request and says who took over', async () => {
    const { client, patched } = serverWith({ ...done, from: 'a-0', to: 'a-1', outcome: 'Succeeded' });
    const outcome = await switchover(client, command, 'support', new ManualClock());
    expect(patched).to.deep.equal([{ metadata: { annotations: { 'isp.support/switchover': REQUEST } } }]);
    expect(outcome).to.deep.equal({ text: 'a-1 took over from a-0', exitCode: 0 });
  });

  it('fails when it was refused, with the reason', async () => {
    const { client } = serverWith({ ...done, outcome: 'Refused', message: 'there is trouble' });
    const outcome = await switchover(client, command, 'support', new ManualClock());
    expect(outcome).to.deep.equal({ text: 'Refused: there is trouble', exitCode: 1 });
  });

  it('names the platform that there is not', async () => {
    const { client } = serverWith(undefined);
    const refusal = await switchover(client, command, 'support', new ManualClock()).catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(NotFoundError);
  });
});
