import { expect } from 'chai';
import { type Circumstances, decideProvider } from './choose.ts';
import { kindKubeconfig } from './kind/kind.ts';
import { kubeconfigPath } from './local/layout.ts';

function circumstances(overrides: Partial<Circumstances>): Circumstances {
  return { forced: undefined, kubeconfig: undefined, canUseKind: async () => false, ...overrides };
}

const docker = { canUseKind: async () => true };

describe('choice of a cluster', () => {
  const cases: [title: string, given: Partial<Circumstances>, provider: string][] = [
    ['kind where Docker answers', docker, 'kind'],
    ['the local one where it does not', {}, 'local'],
    [
      'the one that KUBECONFIG names, even beside Docker',
      { ...docker, kubeconfig: '/home/me/.kube/config' },
      'existing',
    ],
    ['the local one that was made here, by its own kubeconfig', { ...docker, kubeconfig: kubeconfigPath }, 'local'],
    ['kind that was made here, by its own kubeconfig', { kubeconfig: kindKubeconfig() }, 'kind'],
    ['the forced one, whatever KUBECONFIG says', { ...docker, forced: 'local', kubeconfig: '/some/config' }, 'local'],
  ];
  for (const [title, given, provider] of cases) {
    it(`is ${title}`, async () => {
      expect(await decideProvider(circumstances(given))).to.equal(provider);
    });
  }

  it('refuses a provider that does not exist, naming those that do', async () => {
    const error = await decideProvider(circumstances({ forced: 'minikube' })).catch((thrown: Error) => thrown);
    expect(error).to.be.instanceOf(Error).with.property('message', 'ISP_CLUSTER_PROVIDER=minikube: give kind or local');
  });
});
