import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { createLogger } from './logger.ts';

describe('logger', () => {
  function capture(level: string): { logger: ReturnType<typeof createLogger>; lines: () => Record<string, unknown>[] } {
    const stream = new PassThrough();
    const lines = () => {
      const text = String(stream.read() ?? '').trim();
      return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
    };
    return { logger: createLogger({ level, stream }), lines };
  }

  it('writes one JSON object a line with what its parents are bound to', () => {
    const { logger, lines } = capture('info');
    logger.child({ controller: 'platform' }).child({ key: 'ns/a' }).info('reconciled', { seconds: 1 });
    const [line] = lines();
    expect(line).to.include({ level: 'info', message: 'reconciled', controller: 'platform', key: 'ns/a', seconds: 1 });
    expect(Object.keys(line ?? {}).slice(0, 3)).to.deep.equal(['time', 'level', 'message']);
  });

  it('leaves out what is below its level', () => {
    const { logger, lines } = capture('WARN');
    logger.info('hidden');
    logger.error('shown');
    expect(lines().map(({ message }) => message)).to.deep.equal(['shown']);
  });

  it('spells out errors with their causes, and does not let a field replace the message', () => {
    const { logger, lines } = capture('info');
    const error = Object.assign(new Error('outer', { cause: new TypeError('inner') }), { code: 'E1' });
    logger.error('failed', { error, message: 'field' });
    const [line] = lines();
    expect(line).to.include({ message: 'failed' });
    const logged = line?.['error'] as Record<string, unknown>;
    expect(logged).to.include({ name: 'Error', message: 'outer', code: 'E1' });
    expect(logged['cause']).to.include({ name: 'TypeError', message: 'inner' });
  });
});
