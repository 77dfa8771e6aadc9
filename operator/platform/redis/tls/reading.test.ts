import { expect } from 'chai';
import { withSilentServer } from '../../../../test/support/silent-server.ts';
import { opener } from '../client.ts';
import { askTls } from './reading.ts';

const trust = { ca: '', servername: 'acme-redis-nodes.support.svc' };

describe('a server of Redis that is asked for its certificate', () => {
  it('is found not to answer when it says nothing in time, and that is the end of it', async () => {
    await withSilentServer(async (port) => {
      const address = { host: '127.0.0.1', port };
      const client = opener(trust)(address, 'secret');
      const answer = await askTls(client, 'server', address, AbortSignal.timeout(50));
      expect(answer).to.include({ kind: 'problem', problem: 'timeout' });
    });
  });
});
