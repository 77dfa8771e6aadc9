import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { HASHING_ALGORITHM, hashPassword, isHashOf } from './password-hash.ts';

describe('the hash of a password', () => {
  const hash = hashPassword('test12', 'salt');

  it('is known again, whatever the salt', () => {
    expect(isHashOf('test12', hash, HASHING_ALGORITHM)).to.equal(true);
    expect(isHashOf('test12', hashPassword('test12', 'pfef'), HASHING_ALGORITHM)).to.equal(true);
    // The example of RabbitMQ's own documentation, with a salt that is no text.
    const documented = 'kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR';
    expect(isHashOf('test12', documented, HASHING_ALGORITHM)).to.equal(true);
  });

  it('is not taken for that of another password, of another algorithm or of none', () => {
    expect(isHashOf('test13', hash, HASHING_ALGORITHM)).to.equal(false);
    expect(isHashOf('test12', hash, 'rabbit_password_hashing_sha512')).to.equal(false);
    const md5 = createHash('md5').update('salttest12').digest('base64');
    expect(isHashOf('test12', md5, HASHING_ALGORITHM)).to.equal(false);
    expect(isHashOf('test12', '', HASHING_ALGORITHM)).to.equal(false);
  });
});
