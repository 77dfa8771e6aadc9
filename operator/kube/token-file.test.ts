import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { TokenFile } from './token-file.ts';

describe('token file', () => {
  let folder: string;
  let path: string;
  let now: number;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-'));
    path = join(folder, 'token');
    now = 0;
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is read again after a minute, and not for every request', () => {
    const token = new TokenFile(path, () => now);
    writeFileSync(path, 'first\n');
    expect(token.token()).to.equal('first');
    writeFileSync(path, 'second\n');
    now = 59_000;
    expect(token.token()).to.equal('first');
    now = 60_000;
    expect(token.token()).to.equal('second');
  });

  it('keeps its last token while the file is being replaced', () => {
    const token = new TokenFile(path, () => now);
    writeFileSync(path, 'first');
    token.token();
    rmSync(path);
    now = 60_000;
    expect(token.token()).to.equal('first');
  });

  it('fails when there never was one', () => {
    expect(() => new TokenFile(path).token()).to.throw('ENOENT');
  });
});
