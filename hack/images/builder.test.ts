import { expect } from 'chai';
import { buildArguments } from './builder.ts';

const request = {
  reference: 'localhost/x:1',
  dockerfile: '/a/Dockerfile',
  context: '/a',
  arguments: { BASE_IMAGE: 'debian' },
};

describe('arguments of an image build', () => {
  it('end with the context, after all options', () => {
    const given = ['--build-arg', 'BASE_IMAGE=debian', '--tag', 'localhost/x:1', '--file', '/a/Dockerfile', '/a'];
    expect(buildArguments(request, {})).to.deep.equal(given);
  });

  it("pass on the authorities that this machine's environment names, as a secret", () => {
    expect(buildArguments(request, { SSL_CERT_FILE: '/ca.crt' })).to.include.members([
      '--secret',
      'id=ca-certificates,src=/ca.crt',
    ]);
  });
});
