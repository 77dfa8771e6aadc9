import { expect } from 'chai';
import type { KubeObject } from '../kube/types.ts';
import { intentDigestOf, ownedDigestOf, rememberOwned } from './ownership.ts';

const identity = { apiVersion: 'v1', kind: 'Service' };

function intent(ports: object[], more: object = {}): KubeObject {
  return {
    ...identity,
    metadata: { namespace: 'ns', name: 'a', labels: { app: 'a' } },
    spec: { ports, ...more },
  } as KubeObject;
}

/** As the API server keeps it: with defaults, and with fields of others. */
function live(ports: object[], fields: object, spec: object = {}): KubeObject {
  const managedFields = [
    { manager: 'somebody', operation: 'Update', fieldsV1: { 'f:spec': { 'f:type': {} } } },
    { manager: 'me', operation: 'Apply', subresource: 'status', fieldsV1: { 'f:status': {} } },
    {
      manager: 'me',
      operation: 'Apply',
      fieldsV1: { 'f:metadata': { 'f:labels': { 'f:app': {} } }, 'f:spec': fields },
    },
  ];
  const metadata = { namespace: 'ns', name: 'a', uid: 'u', labels: { app: 'a', other: 'b' }, managedFields };
  return { ...identity, metadata, spec: { type: 'ClusterIP', ports, ...spec } } as KubeObject;
}

const port = { port: 80, name: 'http', protocol: 'TCP' };
const ownedPort = { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:name': {} } };
const wanted = intent([{ name: 'http', port: 80 }]);

describe('what a manager owns of an object', () => {
  it('is what it has applied, whatever others and the server have added', () => {
    const object = live([{ port: 443, protocol: 'TCP' }, port], { 'f:ports': ownedPort });
    expect(ownedDigestOf(object, 'me')).to.equal(intentDigestOf(wanted));
  });

  it('is another when somebody has changed a value', () => {
    const object = live([{ ...port, name: 'web' }], { 'f:ports': ownedPort });
    expect(ownedDigestOf(object, 'me')).to.not.equal(intentDigestOf(wanted));
  });

  it('is another when the intent no longer has one of its fields', () => {
    const fields = { 'f:ports': ownedPort, 'f:clusterIP': {} };
    const object = live([port], fields, { clusterIP: 'None' });
    expect(ownedDigestOf(object, 'me')).to.not.equal(intentDigestOf(wanted));
    expect(ownedDigestOf(object, 'me')).to.equal(
      intentDigestOf(intent([{ port: 80, name: 'http' }], { clusterIP: 'None' })),
    );
  });

  it('is another when a field was taken over, even with the same value', () => {
    const { 'k:{"port":80,"protocol":"TCP"}': fields } = ownedPort;
    const taken = { 'k:{"port":80,"protocol":"TCP"}': { '.': fields['.'], 'f:port': {} } };
    expect(ownedDigestOf(live([port], { 'f:ports': taken }), 'me')).to.not.equal(intentDigestOf(wanted));
  });

  it('is not known where an element is gone, where nothing was applied, and of fields written in an unknown way', () => {
    expect(ownedDigestOf(live([], { 'f:ports': ownedPort }), 'me')).to.equal(undefined);
    expect(ownedDigestOf(live([port], { 'f:ports': ownedPort }), 'nobody')).to.equal(undefined);
    expect(ownedDigestOf(live([port], { 'f:ports': { 'i:0': {} } }), 'me')).to.equal(undefined);
  });

  it('compares elements of sets by value, and fields taken as a whole with all that is in them', () => {
    const fields = { 'f:externalIPs': { 'v:"1.1.1.1"': {} }, 'f:selector': {} };
    const object = live([], fields, { externalIPs: ['2.2.2.2', '1.1.1.1'], selector: { b: '2', a: '1' } });
    const { spec: _, ...rest } = wanted as KubeObject & { spec: unknown };
    const same = { ...rest, spec: { selector: { a: '1', b: '2' }, externalIPs: ['1.1.1.1'] } } as KubeObject;
    expect(ownedDigestOf(object, 'me')).to.equal(intentDigestOf(same));
  });

  it('stays known of a part that has lost its managed fields', () => {
    const whole = live([port], { 'f:ports': ownedPort });
    const part: KubeObject = { ...identity, metadata: { name: 'a' } };
    rememberOwned(part, whole, 'me');
    expect(ownedDigestOf(part, 'me')).to.equal(intentDigestOf(wanted));
  });
});
