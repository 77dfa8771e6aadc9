import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { cacheFolder, exists, keyOf, readInputs } from './cache.ts';

describe('key of a build', () => {
  it('is the same whatever order the inputs come in', () => {
    expect(keyOf({ a: '1', b: '2' })).to.equal(keyOf({ b: '2', a: '1' }));
  });

  it('differs when a file is renamed, changed, or text moves from one file to the next', () => {
    const key = keyOf({ a: '12', b: '3' });
    expect(keyOf({ a: '12', c: '3' })).not.to.equal(key);
    expect(keyOf({ a: '12', b: '4' })).not.to.equal(key);
    expect(keyOf({ a: '1', b: '23' })).not.to.equal(key);
  });

  it('is the same for text and for the bytes of that text', () => {
    expect(keyOf({ a: 'é' })).to.equal(keyOf({ a: Buffer.from('é') }));
  });
});

describe('inputs of a build', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'inputs-'));
    await mkdir(join(folder, 'context', 'deep'), { recursive: true });
    await writeFile(join(folder, 'Dockerfile'), 'FROM x');
    await writeFile(join(folder, 'context', 'deep', 'file'), 'text');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('are the files under the paths, by their names from the base folder', async () => {
    const inputs = await readInputs(folder, ['Dockerfile', 'context']);
    expect(Object.keys(inputs).sort()).to.deep.equal(['Dockerfile', 'context/deep/file']);
    expect(Buffer.from(inputs['context/deep/file'] ?? []).toString()).to.equal('text');
  });

  it('tell a path through a file from one that exists', async () => {
    expect(await exists(join(folder, 'Dockerfile'))).to.equal(true);
    expect(await exists(join(folder, 'Dockerfile', 'below'))).to.equal(false);
  });
});

describe('cache folder', () => {
  it('is the one that ISP_CACHE names', () => {
    expect(cacheFolder({ ISP_CACHE: '/somewhere' })).to.equal('/somewhere');
    expect(cacheFolder({})).to.match(/\.cache\/isp-support-operator$/);
  });
});
