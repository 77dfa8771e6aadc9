import type { LookupAddress } from 'node:dns';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { RememberingSocket, rememberedLookup } from './remembered-lookup.ts';

type Outcome = LookupAddress[] | NodeJS.ErrnoException | 'nothing';

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`getaddrinfo ${code} broker`), { code });
}

/** Asks for one name again and again, of servers that answer these things in turn; gives addresses and codes of errors. */
async function asked(...outcomes: readonly Outcome[]): Promise<unknown[]> {
  const waiting = [...outcomes];
  const look = rememberedLookup((_hostname, _options, callback) => {
    const outcome = waiting.shift();
    if (outcome === 'nothing' || outcome === undefined) return;
    if (Array.isArray(outcome)) callback(null, outcome);
    else callback(outcome, []);
  });
  const answers: unknown[] = [];
  for (const _ of outcomes) {
    const answered = new Promise((resolve) => {
      look('broker', { all: true }, (error, found) => {
        resolve(error?.code ?? (found as LookupAddress[]).map(({ address }) => address).join());
      });
    });
    answers.push(await Promise.race([answered, delay(2_000, 'no answer', { ref: false })]));
  }
  return answers;
}

const first = [{ address: '10.96.0.1', family: 4 }];
const second = [{ address: '10.96.0.2', family: 4 }];
const again = failure('EAI_AGAIN');
const gone = failure('ENOTFOUND');

describe('a name that is looked up', () => {
  const rows: [string, Outcome[], unknown[]][] = [
    ['has the newest address', [first, second], ['10.96.0.1', '10.96.0.2']],
    [
      'has its last address while nobody answers',
      [first, 'nothing', 'nothing'],
      ['10.96.0.1', '10.96.0.1', '10.96.0.1'],
    ],
    ['has its last address while there is no answer for now', [first, again], ['10.96.0.1', '10.96.0.1']],
    ['has none that it never had', [again, first], ['EAI_AGAIN', '10.96.0.1']],
    ['is waited for where there is nothing to go by', ['nothing'], ['no answer']],
    ['is gone when it is said to be', [first, gone, again], ['10.96.0.1', 'ENOTFOUND', 'EAI_AGAIN']],
  ];
  for (const [what, outcomes, answers] of rows)
    it(what, async () => expect(await asked(...outcomes)).to.deep.equal(answers)).timeout(5_000);

  it('is what a socket connects to by port and name', async () => {
    const server = createServer((socket) => socket.end('hello'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const socket = new RememberingSocket().connect(port, 'localhost');
    const [text] = await socket.setEncoding('utf8').toArray();
    server.close();
    expect(text).to.equal('hello');
  });
});
