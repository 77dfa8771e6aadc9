import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { parseStartTime } from './process.ts';

describe('start time of a process', () => {
  it('is read past a name with spaces and parentheses', () => {
    const fields = Array.from({ length: 50 }, (_, index) => String(index + 3));
    fields[0] = 'S';
    expect(parseStartTime(`42 (a) b) ${fields.join(' ')}`)).to.equal('22');
  });

  it('is none of a process that has ended already', () => {
    const fields = Array.from({ length: 50 }, (_, index) => String(index + 3));
    fields[0] = 'Z';
    expect(parseStartTime(`42 (a) ${fields.join(' ')}`)).to.equal(undefined);
  });

  it('is the same each time the same process is asked', async () => {
    const read = async () => parseStartTime(await readFile('/proc/self/stat', 'utf8'));
    expect(await read())
      .to.match(/^\d+$/)
      .and.to.equal(await read());
  });
});
