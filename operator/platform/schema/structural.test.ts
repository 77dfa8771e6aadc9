import { expect } from 'chai';
import { z } from 'zod';
import { lenient, structural } from './structural.ts';

describe('a structural schema', () => {
  it('has integers without the bounds of JavaScript', () => {
    expect(structural(z.int())).to.deep.equal({ type: 'integer' });
    expect(structural(z.int().min(1))).to.deep.equal({ type: 'integer', minimum: 1 });
  });

  it('marks what is an integer or a string instead of uniting types', () => {
    const either = z.union([z.int(), z.string().regex(/^a$/)]).meta({ 'x-kubernetes-int-or-string': true });
    expect(structural(either)).to.deep.equal({ 'x-kubernetes-int-or-string': true, pattern: '^a$' });
  });

  it('refuses other unions, by path', () => {
    expect(() => structural(z.object({ a: z.union([z.int(), z.boolean()]) }))).to.throw(TypeError, '.a: ');
  });

  it('says nothing about fields beside those it has', () => {
    expect(structural(z.strictObject({ a: z.string().exactOptional() }))).to.deep.equal({
      type: 'object',
      properties: { a: { type: 'string' } },
    });
  });

  it('is lenient but for the keys of lists', () => {
    const entry = z.object({ name: z.string(), inner: z.object({ a: z.string() }) });
    const list = z.array(entry).meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });
    const schema = lenient(structural(z.object({ list })));
    expect(schema.required).to.equal(undefined);
    expect(schema.properties?.['list']?.items?.required).to.deep.equal(['name']);
    expect(schema.properties?.['list']?.items?.properties?.['inner']?.required).to.equal(undefined);
  });
});
