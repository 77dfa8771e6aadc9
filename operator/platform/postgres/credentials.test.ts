import { expect } from 'chai';
import { postgresSecrets } from './credentials.ts';
import { platformWith } from './fixtures.ts';

describe('the credentials of Postgres', () => {
  const passwords = ['one', 'two', 'three', 'four'];
  const [app, admin] = postgresSecrets(platformWith(), () => passwords.shift() ?? '');

  it('give the application one address with everything in it', () => {
    expect(app).to.deep.equal({
      name: 'acme-postgres',
      component: 'postgres',
      values: {
        username: 'isp_support',
        password: 'one',
        database: 'isp_support',
        uri: 'postgresql://isp_support:one@acme-postgres-primary.support.svc:5432/isp_support',
      },
    });
  });

  it('give each purpose a password of its own', () => {
    expect(Object.keys(admin?.values ?? {})).to.deep.equal([
      'superuser-password',
      'replication-password',
      'restapi-password',
    ]);
    expect(Object.values(admin?.values ?? {})).to.deep.equal(['two', 'three', 'four']);
  });
});
