import { expect } from 'chai';
import { parse } from 'yaml';
import { apiServerSettings, controllerManagerSettings, etcdSettings, flags } from './control-plane.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import { nodeLayout, nodeLayouts, stateFolder } from './layout.ts';
import { renderCniConfig, renderContainerdConfig, renderKubeletConfig, renderProxyConfig } from './node-config.ts';
import { extensions, kubeletRequest } from './pki.ts';

describe('nodes of the local cluster', () => {
  it('share no folder, address, network, cgroup or pod range', () => {
    const nodes = nodeLayouts(3);
    for (const property of ['name', 'folder', 'network', 'address', 'podCidr', 'cgroup', 'containerdSocket'] as const) {
      expect(new Set(nodes.map((node) => node[property])).size, property).to.equal(3);
    }
  });

  it('have link names that the kernel takes', () => {
    for (const { network } of nodeLayouts(9)) expect(network.length).to.be.lessThan(16);
  });
});

describe('configuration of a node', () => {
  const node = nodeLayout(2);

  it('keeps all of containerd under the folder of the node', () => {
    const config = renderContainerdConfig(node, 'pause:1');
    const paths = [...config.matchAll(/= "(\/[^"]+)"/g)].map(([, path]) => path);
    expect(paths.filter((path) => !path?.startsWith(`${stateFolder}/node2/`))).to.deep.equal(['/usr/lib/cni']);
    expect(config).to.contain('sandbox_image = "pause:1"');
  });

  it('gives the pods addresses of the range that the other nodes have a route to', () => {
    const config = JSON.parse(renderCniConfig(node)) as { plugins: { ipam?: { ranges: unknown } }[] };
    expect(config.plugins[0]?.ipam?.ranges).to.deep.equal([[{ subnet: node.podCidr }]]);
  });

  it('gives the kubelet a cgroup of its own and leaves the heartbeat at its default', () => {
    const config = parse(renderKubeletConfig(node)) as Record<string, unknown>;
    expect(config['cgroupRoot']).to.equal('/isp-support/node2');
    expect(config).not.to.have.property('nodeStatusUpdateFrequency');
  });

  it('has a kube-proxy that knows which node it is on', () => {
    expect(parse(renderProxyConfig(node))).to.have.property('hostnameOverride', 'node2');
  });

  it('has a certificate of the name that the node authorizer wants', () => {
    const request = kubeletRequest(node);
    expect(request.subject).to.equal('/O=system:nodes/CN=system:node:node2');
    expect(extensions(request)).to.contain('subjectAltName=DNS:node2,IP:10.99.0.12\n');
  });
});

describe('control plane', () => {
  it('writes settings as flags', () => {
    expect(flags({ a: '1', 'b-c': 'x=y' })).to.deep.equal(['--a=1', '--b-c=x=y']);
  });

  it('listens where nothing beyond the machine can reach it', () => {
    expect(apiServerSettings()['bind-address']).to.equal('10.99.0.1');
    expect(etcdSettings()['listen-client-urls']).to.match(/127\.0\.0\.1/);
    expect(controllerManagerSettings()['bind-address']).to.equal('127.0.0.1');
  });

  it('has all that the aggregation layer needs', () => {
    const names = Object.keys(apiServerSettings());
    expect(names).to.include.members([
      'requestheader-client-ca-file',
      'proxy-client-cert-file',
      'enable-aggregator-routing',
    ]);
  });
});

describe('kubeconfig', () => {
  it('has everything embedded and one current context', () => {
    const bytes = (text: string): Uint8Array => Buffer.from(text);
    const text = renderKubeconfig({
      server: 'https://x',
      authority: bytes('a'),
      certificate: bytes('b'),
      key: bytes('c'),
    });
    const config = parse(text) as {
      contexts: { name: string }[];
      'current-context': string;
      users: { user: Record<string, string> }[];
    };
    expect(config['current-context']).to.equal(config.contexts[0]?.name);
    expect(Buffer.from(config.users[0]?.user['client-key-data'] ?? '', 'base64').toString()).to.equal('c');
  });
});
