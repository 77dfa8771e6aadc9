import { expect } from 'chai';
import { withSilentServer } from '../../../../test/support/silent-server.ts';
import { presentedCertificate } from './presented.ts';

describe('a Postgres that is asked for its certificate', () => {
  it('is given up when it says nothing in time, and that is the end of it', async () => {
    await withSilentServer(async (port) => {
      const asked = presentedCertificate('127.0.0.1', port, AbortSignal.timeout(50));
      expect(await asked.catch((error: Error) => error)).to.be.an('error');
    });
  });
});
