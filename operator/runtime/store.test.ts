import { expect } from 'chai';
import type { KubeObject } from '../kube/types.ts';
import { type Change, Store } from './store.ts';

interface Labelled extends KubeObject {
  app?: string;
}

function object(name: string, uid: string, resourceVersion: string, app?: string): Labelled {
  const metadata = { namespace: 'ns', name, uid, resourceVersion };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, ...(app === undefined ? {} : { app }) };
}

function told(changes: Change<Labelled>[]): string[] {
  return changes.map(({ type, object: { metadata }, initial }) => {
    return `${type} ${metadata.name} ${metadata.uid}@${metadata.resourceVersion}${initial ? ' initial' : ''}`;
  });
}

describe('store of a cache', () => {
  let store: Store<Labelled>;

  beforeEach(() => {
    store = new Store({ app: ({ app }) => (app === undefined ? [] : [app]) });
  });

  function replace(...objects: Labelled[]): string[] {
    return told(store.apply({ type: 'replace', objects }));
  }

  function put(of: Labelled): string[] {
    return told(store.apply({ type: 'put', object: of }));
  }

  it('calls objects initial only when it is filled for the first time', () => {
    expect(store.filled).to.equal(false);
    expect(replace(object('a', 'u1', '1'))).to.deep.equal(['added a u1@1 initial']);
    expect(store.filled).to.equal(true);
    expect(replace(object('a', 'u1', '1'), object('b', 'u2', '2'))).to.deep.equal(['added b u2@2']);
  });

  it('finds out on a relist what was deleted and what changed while nobody looked', () => {
    replace(object('a', 'u1', '1'), object('b', 'u2', '2'), object('c', 'u3', '3'));
    expect(replace(object('b', 'u2', '9'), object('c', 'u3', '3'))).to.deep.equal(['deleted a u1@1', 'updated b u2@9']);
  });

  it('sees an object deleted and made anew as two objects', () => {
    replace(object('a', 'u1', '1'));
    expect(put(object('a', 'u2', '5'))).to.deep.equal(['deleted a u1@1', 'added a u2@5']);
  });

  it('says nothing of a version that it has', () => {
    replace(object('a', 'u1', '1'));
    expect(put(object('a', 'u1', '1'))).to.deep.equal([]);
  });

  it('gives the state before with an update, and the last state with a deletion', () => {
    replace(object('a', 'u1', '1'));
    const [updated] = store.apply({ type: 'put', object: object('a', 'u1', '2') });
    expect(updated?.old?.metadata.resourceVersion).to.equal('1');
    const [deleted] = store.apply({ type: 'remove', object: object('a', 'u1', '3') });
    expect(deleted?.object.metadata.resourceVersion).to.equal('3');
    expect(store.apply({ type: 'remove', object: object('a', 'u1', '3') })).to.deep.equal([]);
  });

  it('finds objects by index as they change', () => {
    const names = (app: string) => store.byIndex('app', app).map(({ metadata }) => metadata.name);
    replace(object('a', 'u1', '1', 'api'), object('b', 'u2', '2', 'api'), object('c', 'u3', '3'));
    expect(names('api')).to.deep.equal(['a', 'b']);
    put(object('b', 'u2', '4', 'worker'));
    store.apply({ type: 'remove', object: object('a', 'u1', '5') });
    expect([names('api'), names('worker')]).to.deep.equal([[], ['b']]);
    expect(() => store.byIndex('other', 'x')).to.throw('no index other');
  });
});
