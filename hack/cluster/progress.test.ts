import { expect } from 'chai';
import { createProgress, formatDuration } from './progress.ts';

describe('progress', () => {
  it('says which step it is, what it usually takes and what comes next', async () => {
    const lines: string[] = [];
    let now = 0;
    const progress = createProgress({ plan: ['build', 'load'], write: (line) => lines.push(line), now: () => now });
    await progress.step(
      'build',
      async () => {
        now += 2500;
      },
      '5 min',
    );
    await progress.step('load', async () => undefined);
    expect(lines).to.deep.equal([
      '▸ [1/2] build (usually 5 min; next: load)',
      '  ✓ build: 2.5 s',
      '▸ [2/2] load',
      '  ✓ load: 0.0 s',
    ]);
  });

  it('says that a step failed, and lets the error through', async () => {
    const lines: string[] = [];
    const progress = createProgress({ write: (line) => lines.push(line), now: () => 0 });
    const failure = new Error('no disk');
    const thrown: unknown = await progress
      .step('build', async () => {
        throw failure;
      })
      .catch((error: unknown) => error);
    expect(thrown).to.equal(failure);
    expect(lines.at(-1)).to.equal('  ✗ build: failed after 0.0 s');
  });

  it('shows seconds, and minutes where there are some', () => {
    expect(formatDuration(9_940)).to.equal('9.9 s');
    expect(formatDuration(59_400)).to.equal('59 s');
    expect(formatDuration(125_000)).to.equal('2 min 5 s');
  });
});
