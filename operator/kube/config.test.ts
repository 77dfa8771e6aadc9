import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { inCluster, loadConfig } from './config.ts';
import type { Kubeconfig, KubeconfigCluster, KubeconfigUser } from './kubeconfig.ts';

describe('configuration of the connection', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'config-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function write(name: string, content: string): string {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  }

  function kubeconfig(user: KubeconfigUser, cluster: Partial<KubeconfigCluster> = {}, name = 'config'): string {
    const config: Kubeconfig = {
      'current-context': name,
      clusters: [{ name, cluster: { server: `https://${name}:6443`, ...cluster } }],
      users: [{ name, user }],
      contexts: [{ name, context: { cluster: name, user: name, namespace: 'team' } }],
    };
    return write(name, stringify(config));
  }

  it('reads server, namespace, authority and client certificate of the current context', async () => {
    const path = kubeconfig(
      { 'client-certificate-data': btoa('CERT'), 'client-key-data': btoa('KEY') },
      { 'certificate-authority-data': btoa('CA'), 'tls-server-name': 'other' },
    );
    const connection = loadConfig({ kubeconfig: path });
    expect(connection).to.include({ server: 'https://config:6443', namespace: 'team' });
    const { ca, cert, key, servername } = await connection.tls();
    expect([ca, cert, key].map(String)).to.deep.equal(['CA', 'CERT', 'KEY']);
    expect(servername).to.equal('other');
    expect(await connection.headers()).to.deep.equal({});
  });

  it('finds files beside the kubeconfig and reads them anew for each connection', async () => {
    write('ca.crt', 'OLD');
    const connection = loadConfig({ kubeconfig: kubeconfig({}, { 'certificate-authority': 'ca.crt' }) });
    expect(String((await connection.tls()).ca)).to.equal('OLD');
    write('ca.crt', 'NEW');
    expect(String((await connection.tls()).ca)).to.equal('NEW');
  });

  it('authenticates by token, by token file, by password and as somebody else', async () => {
    write('token', 'from-file\n');
    const headers = (user: KubeconfigUser) => loadConfig({ kubeconfig: kubeconfig(user) }).headers();
    expect(await headers({ token: 't' })).to.deep.equal({ authorization: 'Bearer t' });
    expect(await headers({ tokenFile: 'token', token: 'unused' })).to.deep.equal({ authorization: 'Bearer from-file' });
    expect(await headers({ username: 'u', password: 'p' })).to.deep.equal({ authorization: `Basic ${btoa('u:p')}` });
    expect(await headers({ token: 't', as: 'jane' })).to.include({ 'impersonate-user': 'jane' });
  });

  it('asks an exec plugin for credentials', async function () {
    this.timeout(30_000);
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'from-plugin' },
    };
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['-e', `console.log(${JSON.stringify(JSON.stringify(credential))})`],
    };
    const connection = loadConfig({ kubeconfig: kubeconfig({ exec }, { 'certificate-authority-data': btoa('CA') }) });
    expect(await connection.headers()).to.deep.equal({ authorization: 'Bearer from-plugin' });
    expect(String((await connection.tls()).ca)).to.equal('CA');
  });

  it('merges the files of KUBECONFIG, the first that names something winning', () => {
    const first = write('first', stringify({ 'current-context': 'two' }));
    const one = kubeconfig({ token: 'one' }, {}, 'one');
    const two = kubeconfig({ token: 'two' }, {}, 'two');
    const env = { KUBECONFIG: [first, one, two, join(folder, 'absent')].join(':') };
    expect(loadConfig({ env }).server).to.equal('https://two:6443');
  });

  it('says what is wrong with a kubeconfig', () => {
    expect(() => loadConfig({ kubeconfig: write('empty', '') })).to.throw('no current-context');
    const dangling = write(
      'dangling',
      stringify({ 'current-context': 'x', contexts: [{ name: 'x', context: { cluster: 'y', user: '' } }] }),
    );
    expect(() => loadConfig({ kubeconfig: dangling })).to.throw('no cluster y');
    expect(() => loadConfig({ kubeconfig: kubeconfig({}, { 'proxy-url': 'http://proxy' }) })).to.throw('proxy-url');
    expect(() => loadConfig({ env: { HOME: folder } })).to.throw('no cluster is configured');
  });

  it('uses what a pod is given, and reads a rotated token after the server has refused the old one', async () => {
    mkdirSync(join(folder, 'sa'));
    for (const [name, content] of [
      ['ca.crt', 'CA'],
      ['token', 'old'],
      ['namespace', 'support\n'],
    ] as const) {
      write(`sa/${name}`, content);
    }
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    const connection = inCluster(env, join(folder, 'sa'));
    expect(connection).to.include({ server: 'https://[fd00::1]:443', namespace: 'support' });
    expect(String((await connection.tls()).ca)).to.equal('CA');
    expect(await connection.headers()).to.deep.equal({ authorization: 'Bearer old' });
    write('sa/token', 'new');
    expect(await connection.headers()).to.deep.equal({ authorization: 'Bearer old' });
    connection.rejected();
    expect(await connection.headers()).to.deep.equal({ authorization: 'Bearer new' });
  });
});
