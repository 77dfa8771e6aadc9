import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { rabbitmqSecret } from './credentials.ts';
import { platform } from './testing/fixtures.ts';

describe('the credentials of RabbitMQ', () => {
  let drawn = 0;
  const { name, values } = rabbitmqSecret(platform, (length) => {
    drawn += 1;
    return String(drawn).repeat(length);
  });

  it('are what applications connect with', () => {
    expect(name).to.equal('acme-rabbitmq');
    expect(values).to.include({ username: 'isp_support', vhost: 'isp_support' });
    expect(values['uri']).to.equal(
      `amqp://isp_support:${values['password']}@acme-rabbitmq.support.svc:5672/isp_support`,
    );
  });

  it('give the user the same password at every start, as a hash that RabbitMQ itself would make', () => {
    const { users, vhosts, permissions } = JSON.parse(values['definitions.json'] ?? '');
    expect(vhosts).to.deep.equal([{ name: 'isp_support', metadata: { default_queue_type: 'quorum' } }]);
    expect(permissions).to.have.length(1);
    expect(users).to.have.length(1);
    expect(users[0]).to.include({ name: 'isp_support', tags: 'administrator' });
    const hash = Buffer.from(users[0].password_hash, 'base64');
    const salt = hash.subarray(0, 4);
    const expected = createHash('sha256')
      .update(salt)
      .update(values['password'] ?? '')
      .digest();
    expect(hash.subarray(4).equals(expected)).to.equal(true);
  });

  it('have a cookie of their own', () => {
    expect(values['erlang-cookie']).to.have.length.greaterThan(30);
    expect(values['erlang-cookie']).not.to.equal(values['password']);
  });
});
