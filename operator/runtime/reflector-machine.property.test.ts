import fc from 'fast-check';
import { SimulatedServer } from '../../test/support/simulated-server.ts';
import type { KubeObject } from '../kube/types.ts';
import { type Command, type Failure, type Input, initialState, step } from './reflector-machine.ts';
import { type Change, Store } from './store.ts';

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 20_000);

type Op =
  | { op: 'put' | 'delete' | 'recreate'; name: string }
  | { op: 'compact' | 'bookmark' | 'close' | 'run' }
  | { op: 'fail'; kind: Failure['kind'] };

const operation: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('put' as const), name: fc.constantFrom('a', 'b', 'c', 'd') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constantFrom('delete' as const, 'recreate' as const),
      name: fc.constantFrom('a', 'b', 'c'),
    }),
  },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('run' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constantFrom('compact' as const, 'bookmark' as const, 'close' as const) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('fail' as const),
      kind: fc.constantFrom<Failure['kind'][]>('other', 'gone', 'too-large'),
    }),
  },
);

/** The machine with a store, run against a simulated server one step at a time. */
class Rig {
  readonly server: SimulatedServer;
  readonly store = new Store<KubeObject>();
  readonly #state = initialState<KubeObject>();
  readonly #seen = new Map<string, { uid: string; version: number }>();
  #command: Command | undefined;
  #now = 0;

  constructor(server: SimulatedServer) {
    this.server = server;
    this.feed({ type: 'start' });
  }

  feed(input: Input<KubeObject>): void {
    this.#now += 100;
    const { change, command } = step(this.#state, input, { nowMs: this.#now, random: () => 0.5 });
    if (change !== undefined) for (const single of this.store.apply(change)) this.#check(single);
    if (command === undefined) return;
    this.#command = command;
    this.server.hangUp();
  }

  /** Carries out the command that is due, or delivers the next thing from the stream that is open. Whether anything happened. */
  run(): boolean {
    const command = this.#command;
    if (command === undefined) {
      const event = this.server.next();
      if (event !== undefined) this.feed({ type: 'event', event });
      return event !== undefined;
    }
    this.#command = undefined;
    if (command.type === 'wait') {
      this.#now += command.ms;
      this.feed({ type: 'elapsed' });
    } else {
      const answer = command.type === 'list' ? this.server.list(command.options) : this.server.watch(command.options);
      if (answer !== undefined) this.feed(answer);
    }
    return true;
  }

  /** A failure of whatever is under way; a wait cannot fail. */
  fail(kind: Failure['kind']): void {
    if (this.#command?.type === 'wait') return;
    this.#command = undefined;
    this.feed({ type: 'failed', failure: { kind, retryAfterMs: 0 } });
  }

  close(): void {
    if (this.#command === undefined) this.feed({ type: 'closed' });
  }

  /** Objects appear before they change, never go back in time, and never turn into another of the same name. */
  #check({ type, object }: Change<KubeObject>): void {
    const { name, uid = '', resourceVersion } = object.metadata;
    const before = this.#seen.get(name);
    const version = Number(resourceVersion);
    if (type === 'added' && before !== undefined) throw new Error(`${name} was added twice`);
    if (type !== 'added' && before?.uid !== uid) throw new Error(`${name} ${uid} was ${type} but never added`);
    if (before !== undefined && version < before.version) throw new Error(`${name} went back in time`);
    if (type === 'deleted') this.#seen.delete(name);
    else this.#seen.set(name, { uid, version });
  }
}

describe('reflector machine, whatever the server does', function () {
  this.timeout(600_000);

  it('ends with what the server has, and never shows an object twice, out of order or back in time', () => {
    fc.assert(
      fc.property(
        fc.array(operation, { minLength: 1, maxLength: 80 }),
        fc.boolean(),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        (schedule, watchList, staleness) => {
          const server = new SimulatedServer({ watchList, random: () => staleness.next().value });
          const rig = new Rig(server);
          for (const op of schedule) {
            if (op.op === 'put') server.put(op.name);
            else if (op.op === 'delete') server.delete(op.name);
            else if (op.op === 'recreate') server.recreate(op.name);
            else if (op.op === 'compact') server.compact();
            else if (op.op === 'bookmark') server.bookmark();
            else if (op.op === 'close') rig.close();
            else if (op.op === 'fail') rig.fail(op.kind);
            else rig.run();
          }
          let quiet = 0;
          for (let turn = 0; quiet < 2; turn += 1) {
            if (turn > 10_000) throw new Error('the machine never comes to rest');
            quiet = rig.run() ? 0 : quiet + 1;
          }
          const cached = rig.store
            .list()
            .map(({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`);
          const real = server
            .objects()
            .map(({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`);
          if (cached.sort().join() !== real.sort().join())
            throw new Error(`cached: ${cached.join()}; real: ${real.join()}`);
          if (!rig.store.filled) throw new Error('the cache was never filled');
        },
      ),
      { numRuns: RUNS },
    );
  });
});
