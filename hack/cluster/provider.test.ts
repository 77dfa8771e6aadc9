import { expect } from 'chai';
import { parsePort, parseTarget } from './provider.ts';

describe('name of a container', () => {
  it('is a namespace and a pod, with or without the container', () => {
    expect(parseTarget('shop/db-0')).to.deep.equal({ namespace: 'shop', pod: 'db-0' });
    expect(parseTarget('shop/db-0/postgres')).to.deep.equal({ namespace: 'shop', pod: 'db-0', container: 'postgres' });
  });

  for (const text of ['', 'db-0', 'shop/', '/db-0', 'shop/db-0/', 'a/b/c/d']) {
    it(`is not "${text}"`, () => {
      expect(() => parseTarget(text)).to.throw('NAMESPACE/POD');
    });
  }
});

describe('port', () => {
  it('is a number', () => {
    expect(parsePort('5672')).to.equal(5672);
  });

  for (const text of ['', '0', '-1', '1.5', '65536', 'amqp']) {
    it(`is not "${text}"`, () => {
      expect(() => parsePort(text)).to.throw('up to 65535');
    });
  }
});
