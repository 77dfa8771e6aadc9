import { expect } from 'chai';
import fc from 'fast-check';
import { chain, chord, group, partsOf, type Signature, signature } from './canvas.ts';
import { type Call, type Unfolded, unfold } from './unfold.ts';

const NOW = Date.parse('2026-01-31T12:00:00Z');

function counter(): () => string {
  let count = 0;
  return () => `id-${count++}`;
}

function unfolded(signature: Signature, call: Call = {}): Unfolded {
  return unfold(signature, call, counter(), NOW);
}

/** Runs all that is sent as workers would, each task returning a text of its name and arguments. */
function run(first: Signature): { started: string[]; values: Map<string, unknown> } {
  const newId = counter();
  const values = new Map<string, unknown>();
  const started: string[] = [];
  const chords = new Map<string, { size: number; parts: Map<string, [number, unknown]> }>();
  const queue = [unfold(first, {}, newId, NOW)];
  for (let next = queue.shift(); next; next = queue.shift()) {
    for (const { groupId, size } of next.chords) chords.set(groupId, { size, parts: new Map() });
    for (const { task } of next.sends) {
      const value = `${task.task}(${task.args.join()})`;
      started.push(task.id);
      values.set(task.id, value);
      const following = task.chain?.at(-1);
      if (following) queue.push(unfold(following, { args: [value], chain: task.chain?.slice(0, -1) }, newId, NOW));
      if (!task.chord) continue;
      const open = chords.get(task.group ?? '');
      if (!open) throw new Error(`the chord of ${task.id} is not known`);
      open.parts.set(task.id, [task.groupIndex ?? 0, value]);
      if (open.parts.size !== open.size) continue;
      const results = [...open.parts.values()].toSorted(([a], [b]) => a - b).map(([, part]) => part);
      queue.push(unfold(task.chord, { args: [`[${results.join('+')}]`] }, newId, NOW));
    }
  }
  return { started, values };
}

describe('unfolding of a signature', () => {
  it('sends a task with what came before it as its first argument', () => {
    const { sends } = unfolded(signature('t', [2], { k: 3 }), { args: [1], rootId: 'r', parentId: 'p' });
    expect(sends[0]?.task).to.include({ id: 'id-0', task: 't', rootId: 'r', parentId: 'p' });
    expect(sends[0]?.task.args).to.deep.equal([1, 2]);
    expect(sends[0]?.task.kwargs).to.deep.equal({ k: 3 });
  });

  it('gives an immutable task nothing', () => {
    const { sends } = unfolded({ ...signature('t', [2]), immutable: true }, { args: [1] });
    expect(sends[0]?.task.args).to.deep.equal([2]);
  });

  it('leaves the signature as it is', () => {
    const own = chain(signature('a'), group(signature('b'), signature('c')), signature('d'));
    const before = structuredClone(own);
    unfolded(own);
    expect(own).to.deep.equal(before);
  });

  it('sends the first of a chain, with the rest in reverse', () => {
    const { sends, result } = unfolded(chain(signature('a'), chain(signature('b'), signature('c'))));
    expect(sends.map(({ task }) => [task.task, task.chain?.map(({ task: name }) => name)])).to.deep.equal([
      ['a', ['c', 'b']],
    ]);
    expect(result[0][0]).to.equal(sends[0]?.task.chain?.[0]?.options.task_id);
  });

  it('makes a chord of a group that something follows, and tells its size before', () => {
    const { sends, chords } = unfolded(chain(group(signature('a'), signature('b')), signature('c')));
    expect(chords.map(({ size }) => size)).to.deep.equal([2]);
    expect(sends.map(({ task }) => [task.groupIndex, task.group, task.chord?.task])).to.deep.equal([
      [0, chords[0]?.groupId, 'c'],
      [1, chords[0]?.groupId, 'c'],
    ]);
  });

  it('gives a chord the id of its header, by which Celery finds it again, and its body the id that was asked for', () => {
    const inner = { ...chord([signature('a')], signature('body')), options: { task_id: 'wanted' } };
    const { sends, result } = unfolded(chain(signature('first'), inner));
    const sent = sends[0]?.task.chain?.[0];
    expect(sent?.options.task_id).to.equal(result[0][1]?.[0][0]);
    expect(result[0][0]).to.equal('wanted');
    const later = unfolded(sent as Signature);
    expect(later.sends[0]?.task.group).to.equal(sent?.options.task_id);
    expect(later.result[0][0]).to.equal('wanted');
  });

  it('sends the body of an empty chord at once', () => {
    expect(unfolded(chord([], signature('body'))).sends.map(({ task }) => [task.task, task.args])).to.deep.equal([
      ['body', [[]]],
    ]);
  });

  it('takes times in seconds from now', () => {
    const { sends } = unfolded(signature('t', [], {}, { countdown: 5, expires: 10, queue: 'q' }));
    expect(sends[0]?.task).to.include({ eta: NOW + 5_000, expires: NOW + 10_000 });
    expect(sends[0]).to.include({ exchange: '', routingKey: 'q' });
  });

  const { anything } = fc.letrec<{ anything: Signature; leaf: Signature }>((tie) => ({
    leaf: fc.constantFrom('a', 'b', 'c').map((name) => signature(name)),
    anything: fc.oneof(
      { maxDepth: 3 },
      tie('leaf'),
      fc.array(tie('anything'), { minLength: 1, maxLength: 3 }).map((tasks) => chain(...tasks)),
      fc.array(tie('anything'), { minLength: 1, maxLength: 3 }).map((tasks) => group(...tasks)),
      fc
        .tuple(fc.array(tie('anything'), { minLength: 1, maxLength: 3 }), tie('leaf'))
        .map(([header, body]) => chord(header, body)),
    ),
  }));

  it('of any composition in a chain before one task ends with that task, run once, after all else', () => {
    fc.assert(
      fc.property(anything, (before) => {
        const whole = chain(before, signature('last'));
        const last = unfold(whole, {}, counter(), NOW).result[0][0];
        const { started, values } = run(whole);
        expect(started.at(-1)).to.equal(last);
        expect(new Set(started).size).to.equal(started.length);
        expect(values.get(last)).to.match(/^last\(/);
        expect(partsOf(whole)).to.equal(1);
      }),
    );
  });
});
