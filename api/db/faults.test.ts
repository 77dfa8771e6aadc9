import { expect } from 'chai';
import { CommitInDoubt, faultOf, NotPrimary } from './faults.ts';

function coded(code: string, message = 'x'): Error {
  return Object.assign(new Error(message), { code });
}

describe('faults of Postgres', () => {
  for (const code of [
    '57P01',
    '57P03',
    '25006',
    '08006',
    '08P01',
    'ECONNRESET',
    'ECONNREFUSED',
    'ENOTFOUND',
    '53300',
  ]) {
    it(`counts ${code} as a lost primary`, () => expect(faultOf(coded(code))).to.equal('lost'));
  }
  for (const text of [
    'Connection terminated unexpectedly',
    'timeout exceeded when trying to connect',
    'Query read timeout',
  ]) {
    it(`counts "${text}" as a lost primary`, () => expect(faultOf(new Error(text))).to.equal('lost'));
  }
  for (const code of ['40001', '40P01', '57014']) {
    it(`runs a transaction again after ${code}`, () => expect(faultOf(coded(code))).to.equal('conflict'));
  }
  it('does not run a broken statement again', () => expect(faultOf(coded('42703'))).to.equal('permanent'));
  it('treats a replica and a commit in doubt as a lost primary', () => {
    expect(faultOf(new NotPrimary())).to.equal('lost');
    expect(faultOf(new CommitInDoubt('x'))).to.equal('lost');
  });
  it('looks into the addresses tried for one host name', () => {
    expect(faultOf(new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')]))).to.equal('lost');
  });
});
