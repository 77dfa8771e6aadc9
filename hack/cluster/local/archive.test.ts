import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { run } from '../exec.ts';
import { writeImageArchive } from './archive.ts';
import { archivePath } from './images.ts';

describe('image of static files', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archive-'));
    await writeFile(join(folder, 'tool'), 'binary');
    await chmod(join(folder, 'tool'), 0o600);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = (name: string) =>
    writeImageArchive(join(folder, name), {
      reference: 'localhost/tool:1',
      files: { 'bin/tool': join(folder, 'tool') },
      entrypoint: ['/bin/tool'],
    });

  it('is an archive that names the image and holds the file, executable', async () => {
    await write('image.tar');
    const extract = (member: string) =>
      run('tar', ['--extract', '--to-stdout', '--file', join(folder, 'image.tar'), member]);
    expect(JSON.parse(await extract('manifest.json'))).to.deep.equal([
      { Config: 'config.json', RepoTags: ['localhost/tool:1'], Layers: ['layer.tar'] },
    ]);
    await run('tar', ['--extract', '--file', join(folder, 'image.tar'), '--directory', folder, 'layer.tar']);
    expect(await run('tar', ['--list', '--verbose', '--file', join(folder, 'layer.tar')])).to.match(
      /-rwxr-xr-x 0\/0 .*bin\/tool/,
    );
  });

  it('is the same, byte for byte, each time', async () => {
    await write('one.tar');
    await write('two.tar');
    const members = async (name: string) =>
      run('tar', ['--extract', '--to-stdout', '--file', join(folder, name), 'config.json']);
    expect(await members('one.tar')).to.equal(await members('two.tar'));
  });

  it('is not written again when it is there', async () => {
    await writeFile(join(folder, 'image.tar'), 'kept');
    await write('image.tar');
    expect(await readFile(join(folder, 'image.tar'), 'utf8')).to.equal('kept');
  });
});

describe('archive of an image', () => {
  it('is named after the image and its tag', () => {
    expect(archivePath('localhost/isp-support/redis:0123')).to.match(/\/images\/redis-0123\.tar$/);
  });
});
