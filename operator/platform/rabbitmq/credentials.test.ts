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

  it('give the first user the same password, and replace guest', () => {
    const lines = values['users.conf']?.trim().split('\n') ?? [];
    expect(lines).to.include(`default_pass = ${values['password']}`);
    expect(lines).to.include('default_user = isp_support');
    expect(lines).to.include('default_vhost = isp_support');
  });

  it('have a cookie of their own', () => {
    expect(values['erlang-cookie']).to.have.length.greaterThan(30);
    expect(values['erlang-cookie']).not.to.equal(values['password']);
  });
});
