import { expect } from 'chai';
import { resolveResources, resolveStorage } from './resolve-resources.ts';

const TIER = { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '512Mi' } };

describe('resources', () => {
  const cases: readonly {
    behaviour: string;
    spec: Parameters<typeof resolveResources>[1];
    expected: ReturnType<typeof resolveResources>;
  }[] = [
    { behaviour: "are the tier's where nothing is given", spec: undefined, expected: TIER },
    {
      behaviour: 'take single figures over, in the form of the API server',
      spec: { requests: { cpu: '0.5' }, limits: { memory: '1024Mi' } },
      expected: { requests: { cpu: '500m', memory: '256Mi' }, limits: { memory: '1Gi' } },
    },
    {
      behaviour: 'lower a request of the tier to a given limit',
      spec: { limits: { cpu: '50m', memory: '128Mi' } },
      expected: { requests: { cpu: '50m', memory: '128Mi' }, limits: { cpu: '50m', memory: '128Mi' } },
    },
    {
      behaviour: 'raise a limit of the tier to a given request',
      spec: { requests: { memory: '2Gi' } },
      expected: { requests: { cpu: '100m', memory: '2Gi' }, limits: { memory: '2Gi' } },
    },
  ];
  for (const { behaviour, spec, expected } of cases) {
    it(behaviour, () => {
      expect(resolveResources(TIER, spec)).to.deep.equal(expected);
    });
  }
});

describe('storage', () => {
  it("is the tier's size in the default class where nothing is given", () => {
    expect(resolveStorage('5Gi', undefined)).to.deep.equal({ size: '5Gi' });
  });

  it('takes size and class over', () => {
    const storage = resolveStorage('5Gi', { size: '2048Mi', storageClassName: 'fast' });
    expect(storage).to.deep.equal({ size: '2Gi', storageClassName: 'fast' });
  });
});
