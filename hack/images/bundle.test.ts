import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { bundlePrograms } from './bundle.ts';

describe('a bundled program', function () {
  this.timeout(60_000);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bundle-'));
    await bundlePrograms({ operator: 'operator/main.ts', issue: 'operator/platform/certificates/issue.ts' }, folder);
  });

  after(async () => {
    await rm(folder, { recursive: true });
  });

  /** The program's own file and all that it imports at once. */
  async function loaded(name: string): Promise<Buffer[]> {
    const text = await readFile(join(folder, name));
    const imports = [...text.toString().matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)].map(([, file = '']) => file);
    return [text, ...(await Promise.all(imports.map(loaded))).flat()];
  }

  it('does not load what is imported on demand only, such as the official client', async () => {
    const bytes = (await loaded('operator.js')).reduce((sum, text) => sum + text.length, 0);
    expect(bytes).to.be.below(3_000_000);
  });

  it('has no letter that would make V8 keep its text in two bytes each', async () => {
    for (const text of await loaded('operator.js')) expect(/[\u0100-\uffff]/.exec(text.toString())).to.equal(null);
  });

  it('can use what it imports on demand as it can from its sources: certificates are issued', async () => {
    const { issueAuthority } = (await import(
      join(folder, 'issue.js')
    )) as typeof import('../../operator/platform/certificates/issue.ts');
    const { certificate } = await issueAuthority('acme.support', new Date());
    expect(certificate.x509.ca).to.equal(true);
  });
});
