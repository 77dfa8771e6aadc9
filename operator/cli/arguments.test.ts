import { expect } from 'chai';
import { parseCommand, UsageError } from './arguments.ts';

describe('the arguments of kubectl isp', () => {
  it('name a platform, a namespace and a format', () => {
    expect(parseCommand(['status', 'acme', '-n', 'support', '-o', 'json'])).to.deep.equal({
      command: 'status',
      name: 'acme',
      namespace: 'support',
      json: true,
      allNamespaces: false,
    });
  });

  it('take options before the command as well', () => {
    expect(parseCommand(['-A', 'status'])).to.include({ command: 'status', allNamespaces: true });
  });

  it('plan a file or a platform', () => {
    expect(parseCommand(['plan', '-f', '-'])).to.deep.include({ source: { file: '-' } });
    expect(parseCommand(['plan', 'acme'])).to.deep.include({ source: { name: 'acme' } });
  });

  it('move the primary to any member or to a certain one', () => {
    expect(parseCommand(['switchover', 'acme'])).not.to.have.property('to');
    expect(parseCommand(['switchover', 'acme', '--to', 'acme-postgres-1'])).to.include({ to: 'acme-postgres-1' });
  });

  it('ask for help by saying nothing', () => {
    expect(parseCommand([])).to.deep.equal({ command: 'help' });
    expect(parseCommand(['status', '--help'])).to.deep.equal({ command: 'help' });
  });

  const wrong: readonly (readonly [string, string])[] = [
    ['plan', 'either the NAME of a platform or -f FILE'],
    ['plan acme -f x.yaml', 'either the NAME of a platform or -f FILE'],
    ['status acme -A', 'leave out NAME and -n'],
    ['status -o yaml', 'output yaml is not known'],
    ['status a b', 'too many arguments: b'],
    ['switchover', 'takes the NAME of a platform'],
    ['stauts', 'command stauts is not known'],
    ['status --nope', "Unknown option '--nope'"],
  ];
  for (const [typed, message] of wrong)
    it(`refuse '${typed}'`, () => {
      expect(() => parseCommand(typed.split(' '))).to.throw(UsageError, message);
    });
});
