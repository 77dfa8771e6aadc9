import { expect } from 'chai';
import fc from 'fast-check';
import { resources } from './resources.ts';
import type { Transport, TransportRequest } from './transport.ts';
import { lines, watch } from './watch.ts';

async function* chunksOf(text: string, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    if (cut <= from || cut >= bytes.length) continue;
    yield bytes.subarray(from, cut);
    from = cut;
  }
  yield bytes.subarray(from);
}

async function collect(all: AsyncIterable<string>): Promise<string[]> {
  const collected: string[] = [];
  for await (const one of all) collected.push(one);
  return collected;
}

describe('lines of a watch', () => {
  it('are the same wherever the stream is cut into chunks, within characters too', async () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map((text) => text.replaceAll('\n', '€'));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.nat(200)), async (wanted, cuts) => {
        const text = wanted.map((one) => `${one}\n`).join('');
        expect(await collect(lines(chunksOf(text, cuts)))).to.deep.equal(wanted);
      }),
    );
  });

  it('do not include an event that was cut off', async () => {
    expect(await collect(lines(chunksOf('{"a":1}\n{"b":', [])))).to.deep.equal(['{"a":1}']);
  });
});

describe('a watch', () => {
  it('may be silent for as long as the server keeps it: of what never changes there are no bookmarks either', async () => {
    let asked: TransportRequest | undefined;
    const transport = {
      request: async (request: TransportRequest) => {
        asked = request;
        throw new Error('not now');
      },
    } as unknown as Transport;
    const { signal } = new AbortController();
    const events = watch(transport, resources.jobs, { timeoutSeconds: 480 }, signal);
    await events.next().catch(() => undefined);
    expect(asked?.path).to.include('timeoutSeconds=480');
    expect(asked?.bodyTimeoutMs).to.be.within(481_000, 600_000);
  });
});
