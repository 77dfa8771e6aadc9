import { createHash, createHmac } from 'node:crypto';
import { expect } from 'chai';
import { scramVerifier } from './scram.ts';

// The exchange of RFC 7677, section 3.
const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
const authMessage =
  'n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const clientProof = 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';
const serverSignature = '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';

describe('the stored form of a password', () => {
  const [, , keys = ''] = scramVerifier('pencil', salt).split('$');
  const [storedKey = '', serverKey = ''] = keys.split(':').map((key) => Buffer.from(key, 'base64'));

  it('names the mechanism, the iterations and the salt as Postgres reads them', () => {
    expect(scramVerifier('pencil', salt)).to.match(
      /^SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$[\w+/]+=*:[\w+/]+=*$/,
    );
  });

  it("accepts the client's proof of the standard's example", () => {
    const signature = createHmac('sha256', storedKey).update(authMessage).digest();
    const clientKey = Buffer.from(clientProof, 'base64').map((byte, index) => byte ^ (signature[index] ?? 0));
    expect(createHash('sha256').update(clientKey).digest().equals(Buffer.from(storedKey))).to.equal(true);
  });

  it("signs as the standard's server does", () => {
    expect(createHmac('sha256', serverKey).update(authMessage).digest('base64')).to.equal(serverSignature);
  });
});
