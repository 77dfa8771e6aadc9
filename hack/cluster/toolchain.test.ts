import { expect } from 'chai';
import { kubernetesVersion, linkerFlags } from './toolchain.ts';

describe('Kubernetes toolchain', () => {
  it('takes its version from what go.mod requires', () => {
    const goMod = 'module x\nrequire (\n\tk8s.io/kubectl v0.36.3\n\tk8s.io/kubernetes v1.36.3\n)\n';
    expect(kubernetesVersion(goMod)).to.deep.equal({ gitVersion: 'v1.36.3', major: '1', minor: '36' });
  });

  it('refuses a go.mod without Kubernetes', () => {
    expect(() => kubernetesVersion('module x\n')).to.throw('k8s.io/kubernetes');
  });

  it('has the commands report that version', () => {
    const flags = linkerFlags({ gitVersion: 'v1.36.3', major: '1', minor: '36' });
    expect(flags).to.contain('-X k8s.io/component-base/version.gitVersion=v1.36.3');
    expect(flags).to.contain('-X k8s.io/component-base/version.gitMinor=36');
  });
});
