import { expect } from 'chai';
import { plainClientsProbe } from './plain-clients.ts';
import { tlsProbe } from './reading.ts';

/** An address of the loopback network at which nobody listens. */
const NOBODY = '127.255.255.254';
const login = { username: 'isp_support', password: 'secret', vhost: 'isp_support' };

describe('the questions about TLS to a node that does not answer', () => {
  it('tell that it shows no certificate', async () => {
    const probe = tlsProbe({ pod: 'acme-rabbitmq-0', uid: 'pod-0', host: NOBODY });
    const reading = await probe.run(AbortSignal.timeout(2_000));
    expect(reading).to.deep.equal({ uid: 'pod-0', host: NOBODY });
    expect(probe.successful(reading)).to.equal(false);
  });

  it('do not take it for one to which nobody is connected', async () => {
    const trust = { ca: '', servername: 'acme-rabbitmq-0' };
    const probe = plainClientsProbe([{ host: NOBODY }, { host: NOBODY, trust }], login);
    const answer = await probe.run(AbortSignal.timeout(5_000));
    expect(answer).to.deep.equal({});
    expect(probe.successful(answer)).to.equal(false);
  });
});
