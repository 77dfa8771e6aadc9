import { expect } from 'chai';
import { ManualClock, settle } from '../../test/support/clock.ts';
import type { WatchEvent } from '../kube/client.ts';
import { errorFromStatus } from '../kube/errors.ts';
import { type ConfigMap, resources } from '../kube/resources.ts';
import type { KubeObject } from '../kube/types.ts';
import { type Change, Informer, type InformerOptions } from './informer.ts';
import { silentLogger } from './logger.ts';

interface Stream {
  readonly options: { resourceVersion?: string | undefined; sendInitialEvents?: boolean | undefined };
  send(type: WatchEvent['type'], name: string, resourceVersion: string): void;
  endInitial(resourceVersion: string): void;
  fail(error: unknown): void;
  close(): void;
}

/** Watches whose events the test sends. */
class ScriptedClient {
  readonly streams: Stream[] = [];

  list(): never {
    throw new Error('these servers know streams');
  }

  async *watch<T extends KubeObject>(
    _: unknown,
    options: Stream['options'],
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const queue: (WatchEvent | { error: unknown } | 'close')[] = [];
    let wake: () => void = () => undefined;
    const push = (item: (typeof queue)[number]) => {
      queue.push(item);
      wake();
    };
    const event = (
      type: WatchEvent['type'],
      name: string,
      resourceVersion: string,
      annotations?: Record<string, string>,
    ) => {
      const metadata = { namespace: 'ns', name, uid: `uid-${name}`, resourceVersion, managedFields: [{}] };
      const object = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { ...metadata, ...(annotations ? { annotations } : {}) },
      };
      push({ type, object });
    };
    this.streams.push({
      options,
      send: event,
      endInitial: (version) => event('BOOKMARK', '', version, { 'k8s.io/initial-events-end': 'true' }),
      fail: (error) => push({ error }),
      close: () => push('close'),
    });
    signal.addEventListener('abort', () => push({ error: signal.reason }), { once: true });
    for (;;) {
      const item = queue.shift();
      if (item === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else if (item === 'close') return;
      else if ('error' in item) throw item.error;
      else yield item as WatchEvent<T>;
    }
  }
}

describe('informer', () => {
  let client: ScriptedClient;
  let clock: ManualClock;
  let stop: AbortController;
  let informer: Informer<ConfigMap>;
  let changes: string[];

  beforeEach(() => {
    client = new ScriptedClient();
    clock = new ManualClock();
    stop = new AbortController();
    changes = [];
  });

  afterEach(async () => {
    stop.abort();
    await informer.stopped();
  });

  function make(options: InformerOptions<ConfigMap> = {}): void {
    informer = new Informer<ConfigMap>(client, resources.configMaps, { clock, logger: silentLogger, ...options });
  }

  function note({ type, object }: Change<ConfigMap>): void {
    changes.push(`${type} ${object.metadata.name}@${object.metadata.resourceVersion}`);
  }

  async function start(): Promise<void> {
    informer.start(stop.signal);
    await settle();
  }

  function stream(index: number): Stream {
    const found = client.streams.at(index);
    if (found === undefined) throw new Error('no watch was opened');
    return found;
  }

  it('has synced when it is complete and its handlers know of everything', async () => {
    make();
    informer.onChange(note);
    await start();
    stream(0).send('ADDED', 'a', '1');
    await settle();
    expect([informer.hasSynced, changes]).to.deep.equal([false, []]);
    stream(0).endInitial('2');
    await informer.whenSynced();
    expect([informer.hasSynced, changes]).to.deep.equal([true, ['added a@1']]);
  });

  it('tells a handler that comes late of what is there', async () => {
    make();
    await start();
    stream(0).send('ADDED', 'a', '1');
    stream(0).endInitial('2');
    await informer.whenSynced();
    informer.onChange(note);
    expect(changes).to.deep.equal(['added a@1']);
  });

  it('gives nobody an object that can be changed, and drops managedFields', async () => {
    make();
    await start();
    stream(0).send('ADDED', 'a', '1');
    stream(0).endInitial('2');
    await informer.whenSynced();
    const object = informer.get('ns', 'a');
    expect(object?.metadata).to.not.have.property('managedFields');
    expect(() => {
      if (object !== undefined) object.metadata.name = 'b';
    }).to.throw(TypeError);
  });

  it('goes on when a handler throws or rejects, tells the others and counts it', async () => {
    let errors = 0;
    make({ onHandlerError: () => (errors += 1) });
    informer.onChange(() => {
      throw new Error('a bug');
    });
    informer.onChange((async () => {
      throw new Error('another bug');
    }) as () => void);
    informer.onChange(note);
    await start();
    stream(0).endInitial('1');
    stream(0).send('ADDED', 'a', '2');
    stream(0).send('MODIFIED', 'a', '3');
    await settle();
    expect(changes).to.deep.equal(['added a@2', 'updated a@3']);
    expect(errors).to.equal(4);
  });

  it('keeps every object when a transform or an indexer has a bug', async () => {
    const bug = () => {
      throw new Error('a bug');
    };
    make({ transform: bug, indexers: { broken: bug, name: ({ metadata }) => [metadata.name] } });
    informer.onChange(note);
    await start();
    stream(0).send('ADDED', 'a', '1');
    stream(0).endInitial('2');
    stream(0).send('MODIFIED', 'a', '3');
    await settle();
    expect(changes).to.deep.equal(['added a@1', 'updated a@3']);
    expect(informer.byIndex('name', 'a')).to.have.length(1);
  });

  it('drops what is not kept as each object arrives, not when the last of the first ones has', async () => {
    const arrived: string[] = [];
    const transform = (object: ConfigMap): ConfigMap => {
      arrived.push(object.metadata.name);
      return object;
    };
    make({ transform });
    await start();
    stream(0).send('ADDED', 'a', '1');
    await settle();
    expect(arrived).to.deep.equal(['a']);
    stream(0).endInitial('2');
    await settle();
    expect(arrived).to.deep.equal(['a']);
  });

  it('resumes where it was after a broken connection, and knows that it was blind meanwhile', async () => {
    make();
    informer.onChange(note);
    await start();
    stream(0).endInitial('1');
    stream(0).send('ADDED', 'a', '2');
    await settle();
    expect(informer.disconnectedMs).to.equal(0);
    stream(0).fail(new Error('ECONNRESET'));
    await clock.advance(500);
    expect(informer.disconnectedMs).to.equal(500);
    await clock.advance(2_000);
    expect(stream(-1).options).to.include({ resourceVersion: '2' });
    stream(-1).send('DELETED', 'a', '3');
    await settle();
    expect(changes).to.deep.equal(['added a@2', 'deleted a@3']);
  });

  it('finds a deletion that it missed when its version had become too old', async () => {
    make();
    informer.onChange(note);
    await start();
    stream(0).send('ADDED', 'a', '1');
    stream(0).send('ADDED', 'b', '2');
    stream(0).endInitial('3');
    await settle();
    stream(0).fail(errorFromStatus({ code: 410, reason: 'Expired' }));
    await settle();
    expect(informer.get('ns', 'a')?.metadata.name).to.equal('a');
    stream(1).send('ADDED', 'b', '2');
    stream(1).endInitial('9');
    await settle();
    expect(changes).to.deep.equal(['added a@1', 'added b@2', 'deleted a@1']);
  });

  it('stops waiting for the first fill when the caller does', async () => {
    make();
    await start();
    const patience = new AbortController();
    const waiting = informer.whenSynced(patience.signal).catch((error: Error) => error.message);
    patience.abort(new Error('enough'));
    expect(await waiting).to.equal('enough');
  });

  it('opens one watch however often it is started, and none after it was stopped', async () => {
    make();
    await start();
    await start();
    expect(client.streams).to.have.length(1);
    stop.abort();
    await informer.stopped();
    await clock.advance(60_000);
    expect(client.streams).to.have.length(1);
  });
});
