import { expect } from 'chai';
import { missingPackages } from './packages.ts';

describe('packages', () => {
  it('are missing when a command or a file of theirs is, and are named once', async () => {
    const missing = await missingPackages({
      sh: 'dash',
      'no-such-command': 'some-package',
      '/no/such/file': 'some-package',
      '/etc/passwd/below-a-file': 'another-package',
      '/etc/passwd': 'no-package',
    });
    expect(missing).to.deep.equal(['another-package', 'some-package']);
  });
});
