import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import express from 'express';
import { authenticate } from './authenticate.ts';
import { handleErrors } from './problem.ts';

const TOKEN = 'a token of sixteen letters'.replaceAll(' ', '-');
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

async function answer(token: string | undefined, authorization: string | undefined): Promise<Response> {
  const app = express()
    .use(authenticate(token))
    .get('/', (_request, response) => void response.send('in'))
    .use(handleErrors(silent));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    return await fetch(`http://127.0.0.1:${port}/`, authorization === undefined ? {} : { headers: { authorization } });
  } finally {
    server.close();
  }
}

describe('what only those who run the platform may do', () => {
  it('is done for whoever has the token, however the scheme is written', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER '])
      expect((await answer(TOKEN, `${scheme} ${TOKEN}`)).status).to.equal(200);
  });

  for (const [what, authorization] of [
    ['no token', undefined],
    ['another token', `Bearer ${TOKEN}x`],
    ['a part of it', `Bearer ${TOKEN.slice(0, -1)}`],
    ['an empty one', 'Bearer '],
    ['the token in another scheme', `Basic ${TOKEN}`],
  ] as const)
    it(`is refused with ${what}, and the answer says how to ask`, async () => {
      const response = await answer(TOKEN, authorization);
      expect(response.status).to.equal(401);
      expect(response.headers.get('www-authenticate')).to.equal('Bearer realm="isp-support"');
      const problem = (await response.json()) as Record<string, unknown>;
      expect(problem).to.include({ code: 'unauthorized', status: 401 });
      expect(problem['detail']).to.contain('ADMIN_TOKEN').and.to.not.contain(TOKEN);
    });

  it('is done for nobody where no token is set', async () => {
    expect((await answer(undefined, 'Bearer undefined')).status).to.equal(401);
    expect((await answer(undefined, undefined)).status).to.equal(401);
  });
});
