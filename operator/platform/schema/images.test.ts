import { expect } from 'chai';
import { defaultImages } from './images.ts';

const REQUIRED = { RELATED_IMAGE_API: 'api:1', RELATED_IMAGE_POSTGRES: 'postgres:1' };

describe('default images', () => {
  it('come from the environment', () => {
    const rest = {
      RELATED_IMAGE_REDIS: 'redis:1',
      RELATED_IMAGE_RABBITMQ: 'rabbit:1',
      RELATED_IMAGE_HAPROXY: 'proxy:1',
      RELATED_IMAGE_PGBOUNCER: 'pooler:1',
    };
    expect(defaultImages({ ...REQUIRED, ...rest })).to.deep.equal({
      api: 'api:1',
      postgres: 'postgres:1',
      redis: 'redis:1',
      rabbitmq: 'rabbit:1',
      haproxy: 'proxy:1',
      pgbouncer: 'pooler:1',
    });
  });

  it('are the official ones where there are any', () => {
    const images = defaultImages({ ...REQUIRED, RELATED_IMAGE_REDIS: '' });
    expect(images.redis).to.match(/\/redis:7/);
    expect(images.rabbitmq).to.match(/\/rabbitmq:3\.13/);
    expect(images.haproxy).to.match(/\/haproxy:2\.8/);
  });

  it('name the variable that is missing', () => {
    expect(() => defaultImages({ RELATED_IMAGE_API: 'api:1' })).to.throw(TypeError, 'RELATED_IMAGE_POSTGRES');
  });
});
