import { expect } from 'chai';
import { CommandError, run, succeeds } from './exec.ts';

async function failure(work: Promise<unknown>): Promise<CommandError> {
  const error = await work.then(() => undefined).catch((thrown: unknown) => thrown);
  expect(error).to.be.instanceOf(CommandError);
  return error as CommandError;
}

describe('running a command', () => {
  it('gives its output, and passes its input on', async () => {
    expect(await run('cat', [], { input: 'text' })).to.equal('text');
  });

  it('fails with the exit code and the end of what it complained of', async () => {
    const error = await failure(run('sh', ['-c', 'seq 100 >&2; echo the reason >&2; exit 3']));
    expect(error.exitCode).to.equal(3);
    expect(error.message).to.match(/exit code 3\n82\n(.*\n)*the reason$/);
  });

  it('fails with 127 when there is no such command', async () => {
    expect((await failure(run('no-such-command', []))).exitCode).to.equal(127);
    expect(await succeeds('no-such-command', [])).to.equal(false);
  });

  it('fails when the command is killed', async () => {
    expect((await failure(run('sh', ['-c', 'kill -9 $$']))).exitCode).to.equal(137);
  });

  it('shows lines of progress while it runs', async () => {
    const lines: string[] = [];
    await run('sh', ['-c', 'echo one >&2; echo two >&2'], { onLine: (line) => lines.push(line) });
    expect(lines).to.deep.equal(['one', 'two']);
  });

  it('takes no harm from a command that does not read its input', async () => {
    await run('true', [], { input: 'x'.repeat(1_000_000) });
  });
});
