import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { withLock } from './lock.ts';

describe('lock', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lock-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('lets one at a time in', async () => {
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    };
    const path = join(folder, 'a', 'lock');
    await Promise.all([1, 2, 3, 4].map(() => withLock(path, () => undefined, work)));
    expect(most).to.equal(1);
  });

  it('is free again after work that failed', async () => {
    const path = join(folder, 'lock');
    const error = await withLock(
      path,
      () => undefined,
      async () => Promise.reject(new Error('failed')),
    ).catch((thrown: Error) => thrown);
    expect(error).to.have.property('message', 'failed');
    expect(
      await withLock(
        path,
        () => undefined,
        async () => 'in',
      ),
    ).to.equal('in');
  });
});
