import { expect } from 'chai';
import fc from 'fast-check';
import { parse } from 'yaml';
import { yamlText } from './yaml-text.ts';

describe('content as YAML', () => {
  it('quotes what another parser could take for something else', () => {
    expect(yamlText({ jit: 'off', limit: '1e3', size: 4 })).to.equal('jit: "off"\nlimit: "1e3"\nsize: 4\n');
  });

  it('is that of this very content, however much there was before', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean());
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), value), (content) => {
        // Twice, since the second time it is remembered.
        expect(parse(yamlText(content))).to.deep.equal({ ...content });
        expect(parse(yamlText(content))).to.deep.equal({ ...content });
      }),
    );
  });

  it('keeps the order of keys, so that a file is the same after a restart', () => {
    expect(yamlText({ a: 1, b: 2 })).to.equal('a: 1\nb: 2\n');
    expect(yamlText({ b: 2, a: 1 })).to.equal('b: 2\na: 1\n');
  });
});
