import { expect } from 'chai';
import { bytesOf, canonicalQuantity, compareQuantities } from './quantity.ts';

describe('quantities', () => {
  const canonical: readonly [string | number, string][] = [
    ['1Gi', '1Gi'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Mi', '512Ki'],
    ['1025Ki', '1025Ki'],
    ['0.5Ki', '512'],
    ['500m', '500m'],
    ['0.5', '500m'],
    ['1000m', '1'],
    ['1.5m', '2m'],
    ['1.25', '1250m'],
    [2, '2'],
    ['2', '2'],
    [1000, '1k'],
    ['1500M', '1500M'],
    ['1000M', '1G'],
    ['134217728', '134217728'],
    ['0', '0'],
    ['0Gi', '0'],
  ];
  for (const [given, expected] of canonical) {
    it(`writes ${given} as the API server does: ${expected}`, () => {
      expect(canonicalQuantity(given)).to.equal(expected);
    });
  }

  it('refuses what is none', () => {
    for (const text of ['', '2GB', '-1', '1.2345Gi', 'Gi']) expect(() => canonicalQuantity(text)).to.throw(RangeError);
  });

  it('compares binary, decimal and fractional amounts', () => {
    expect(compareQuantities('1Gi', '1G')).to.equal(1);
    expect(compareQuantities('999m', 1)).to.equal(-1);
    expect(compareQuantities('1024Mi', '1Gi')).to.equal(0);
  });

  it('counts bytes', () => {
    expect(bytesOf('64Mi')).to.equal(64 * 1024 * 1024);
    expect(bytesOf('1k')).to.equal(1000);
  });
});
