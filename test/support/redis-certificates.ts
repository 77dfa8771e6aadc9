import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeyPair } from '../../operator/platform/certificates/authority.ts';
import { issueAuthority, issueLeaf } from '../../operator/platform/certificates/issue.ts';
import type { RedisTrust } from '../../operator/platform/redis/client.ts';
import { TLS_DIRECTORY } from '../../operator/platform/redis/tls/names.ts';
import { listenSettings } from '../../operator/platform/redis/tls/settings.ts';
import { MountedFiles } from './mounted-files.ts';

/** Where servers on loopback are found by a name that a certificate can have. */
export const TLS_HOST = 'localhost';

/** What servers on loopback have mounted, all of them the same: certificate, key and bundle. */
export class RedisCertificates {
  readonly #mounted: MountedFiles;
  #authorities: readonly KeyPair[] = [];
  #leaf: KeyPair | undefined;

  private constructor(mounted: MountedFiles) {
    this.#mounted = mounted;
  }

  static async make(): Promise<RedisCertificates> {
    const made = new RedisCertificates(new MountedFiles(await mkdtemp(join(tmpdir(), 'redis-tls-'))));
    await made.trust(await issueAuthority('test', new Date()));
    await made.issue();
    return made;
  }

  get bundleFile(): string {
    return join(this.#mounted.directory, 'ca.crt');
  }

  get certificateFile(): string {
    return join(this.#mounted.directory, 'tls.crt');
  }

  /** The certificate that is mounted, by its id. */
  get leaf(): string | undefined {
    return this.#leaf?.certificate.id;
  }

  get operatorsTrust(): RedisTrust {
    return { ca: this.#bundle, servername: TLS_HOST };
  }

  /** Puts these authorities into the bundle, of which the first signs. */
  async trust(...authorities: readonly KeyPair[]): Promise<void> {
    this.#authorities = authorities;
    await this.#bring();
  }

  /** Makes a new certificate. */
  async issue(): Promise<void> {
    const [signer] = this.#authorities;
    if (signer === undefined) throw new Error('there is no authority');
    this.#leaf = await issueLeaf(signer, [TLS_HOST], new Date());
    await this.#bring();
  }

  get authorities(): readonly KeyPair[] {
    return this.#authorities;
  }

  /** What the operator configures, with the files where they are. */
  settings(port: number): [name: string, value: string][] {
    return listenSettings(port, true).map(([name, value]) => [
      name,
      value.replace(TLS_DIRECTORY, this.#mounted.directory),
    ]);
  }

  async remove(): Promise<void> {
    await rm(this.#mounted.directory, { recursive: true });
  }

  get #bundle(): string {
    return this.#authorities.map(({ certificate }) => certificate.pem).join('');
  }

  async #bring(): Promise<void> {
    const files = { 'tls.crt': this.#leaf?.certificate.pem ?? '', 'tls.key': this.#leaf?.key ?? '' };
    await this.#mounted.bring({ ...files, 'ca.crt': this.#bundle });
  }
}
