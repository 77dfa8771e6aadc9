import { chmodSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyPair } from '../../../operator/platform/certificates/authority.ts';
import { bundleFile } from '../../../operator/platform/certificates/bundle.ts';
import type { PoolerTlsFiles } from '../../../operator/platform/pooler/config.ts';
import type { SqlTarget } from '../../../operator/platform/postgres/sql-session.ts';
import { Bouncer } from './bouncer.ts';

/** A real PgBouncer with a certificate, and a file for what its clients have mounted. */
export class SecuredBouncer {
  readonly bouncer = new Bouncer();
  readonly clientFile = join(this.bouncer.folder, 'clients.crt');
  #bundle = '';
  #demand = false;

  async start(address: { host: string; port: number }, leaf: KeyPair, bundle: string): Promise<void> {
    this.mountLeaf(leaf);
    this.#bundle = bundle;
    this.#writeBundles();
    this.mountClientBundle(bundle);
    await this.bouncer.start(address, this.files);
  }

  get files(): PoolerTlsFiles {
    const { folder } = this.bouncer;
    return {
      certificate: join(folder, 'tls.crt'),
      key: join(folder, 'tls.key'),
      bundle: join(folder, 'ca.crt'),
      clientBundle: join(folder, bundleFile(this.#bundle)),
      demand: this.#demand,
    };
  }

  /** As a kubelet does when the Secret has changed. */
  mountLeaf({ certificate, key }: KeyPair): void {
    write(this.files.certificate, certificate.pem);
    write(this.files.key, key);
  }

  /** As a kubelet does when the ConfigMap has changed: the settings come with the bundle, and what is no longer in it goes. */
  mountSettings(bundle: string, demand = this.#demand): void {
    this.#bundle = bundle;
    this.#demand = demand;
    this.#writeBundles();
    this.bouncer.configure(this.files);
  }

  mountClientBundle(bundle: string): void {
    write(this.clientFile, bundle);
  }

  console(ca: string, servername = 'localhost'): SqlTarget {
    return { ...this.bouncer.console, tls: { ca, servername } };
  }

  /** As the application's DATABASE_URL. */
  url(query = `sslmode=verify-full&sslrootcert=${this.clientFile}`, host = 'localhost'): string {
    const { user, password, port, database } = this.bouncer.client;
    return `postgresql://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}?${query}`;
  }

  get log(): string {
    return readFileSync(join(this.bouncer.folder, 'output.log'), 'utf8');
  }

  #writeBundles(): void {
    const { folder } = this.bouncer;
    const key = bundleFile(this.#bundle);
    for (const name of readdirSync(folder)) if (name.startsWith('ca-') && name !== key) rmSync(join(folder, name));
    write(this.files.bundle, this.#bundle);
    write(this.files.clientBundle, this.#bundle);
  }
}

function write(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  chmodSync(`${path}.new`, 0o444);
  renameSync(`${path}.new`, path);
}
