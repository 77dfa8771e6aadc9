import { expect } from 'chai';
import { parseArchiveName, surplus } from './archives.ts';

describe('kept archives', () => {
  const archive = (image: string, key: number, usedAt: number) => ({
    file: `${image}-${String(key).padStart(16, '0')}.tar`,
    usedAt,
  });

  it('are named after an image and its key', () => {
    expect(parseArchiveName('redis-0123456789abcdef.tar')).to.deep.equal({ name: 'redis', key: '0123456789abcdef' });
    expect(parseArchiveName('redis-0123456789abcdef.tar.17.partial')).to.equal(undefined);
  });

  it('are the three of each image that were used last', () => {
    const redis = [1, 2, 3, 4, 5].map((key) => archive('redis', key, key));
    const api = [archive('api', 1, 1)];
    expect(surplus([...redis, ...api]).sort()).to.deep.equal([redis[0]?.file, redis[1]?.file]);
  });

  it('leave files alone that are not archives', () => {
    const others = ['a', 'b', 'c', 'd'].map((file, usedAt) => ({ file, usedAt }));
    expect(surplus(others)).to.deep.equal([]);
  });
});
