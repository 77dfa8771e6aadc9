import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { render, renderManifest, renderMetricsServer } from './addons.ts';

describe('add-on manifests', () => {
  it('get their values, everywhere', () => {
    expect(render('image: @IMAGE@ # @IMAGE@ @TAG@', { IMAGE: 'a', TAG: 'b' })).to.equal('image: a # a b');
  });

  it('are refused when a place has no value or a value has no place', () => {
    expect(() => render('@IMAGE@', {})).to.throw('@IMAGE@');
    expect(() => render('text', { IMAGE: 'a' })).to.throw('IMAGE');
  });

  it('are YAML once rendered', async () => {
    const texts = [
      await renderManifest('dns', { COREDNS_IMAGE: 'dns:1', DNS_ADDRESS: '10.0.0.1', REPLICAS: '2' }),
      await renderManifest('storage', { PROVISIONER: 'a/b', PROVISIONER_USER: 'a:b' }),
      await renderMetricsServer({ image: 'metrics:1', kubeletTls: '--kubelet-insecure-tls' }),
    ];
    for (const text of texts) {
      for (const document of parseAllDocuments(text)) {
        expect(document.errors).to.deep.equal([]);
        expect(document.toJS()).to.include.keys('apiVersion', 'kind', 'metadata');
      }
    }
  });
});
