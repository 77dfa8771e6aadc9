import { access } from 'node:fs/promises';
import { expect } from 'chai';
import { catalog, imageReference, selectImages } from './catalog.ts';

describe('images', () => {
  it('are all that a platform needs when none is named', () => {
    const names = selectImages([]).map(({ name }) => name);
    expect(names.toSorted()).to.deep.equal(['api', 'operator', 'pgbouncer', 'postgres', 'rabbitmq', 'redis']);
  });

  it('can be named one by one', () => {
    expect(selectImages(['haproxy']).map(({ name }) => name)).to.deep.equal(['haproxy']);
    expect(() => selectImages(['nginx'])).to.throw('no image nginx');
  });

  it('have a Dockerfile each', async () => {
    for (const { dockerfile } of catalog) await access(dockerfile);
  });

  it('are named after what they are and what went into them', () => {
    expect(imageReference('api', '0123')).to.equal('localhost/isp-support/api:0123');
  });
});
