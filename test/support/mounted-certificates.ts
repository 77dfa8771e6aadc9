import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyPair } from '../../operator/platform/certificates/authority.ts';
import { issueAuthority, issueLeaf } from '../../operator/platform/certificates/issue.ts';
import { MountedFiles } from './mounted-files.ts';

/** What servers on loopback have mounted, all of them the same: certificate, key and bundle. */
export class MountedCertificates {
  readonly #mounted: MountedFiles;
  readonly #names: readonly string[];
  #authorities: readonly KeyPair[] = [];
  #leaf: KeyPair | undefined;

  /**
   * @param directory one that servers can read
   * @param names those that are in the certificate
   */
  constructor(directory: string, names: readonly string[]) {
    this.#mounted = new MountedFiles(directory);
    this.#names = names;
  }

  /** Makes the first authority and certificate. */
  async create(): Promise<void> {
    await this.trust(await issueAuthority('test', new Date()));
    await this.issue();
  }

  get directory(): string {
    return this.#mounted.directory;
  }

  get bundleFile(): string {
    return join(this.directory, 'ca.crt');
  }

  get certificateFile(): string {
    return join(this.directory, 'tls.crt');
  }

  /** The certificate that is mounted, by its id. */
  get leaf(): string | undefined {
    return this.#leaf?.certificate.id;
  }

  get authorities(): readonly KeyPair[] {
    return this.#authorities;
  }

  get bundle(): string {
    return this.#authorities.map(({ certificate }) => certificate.pem).join('');
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
    this.#leaf = await issueLeaf(signer, this.#names, new Date());
    await this.#bring();
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true });
  }

  async #bring(): Promise<void> {
    const files = { 'tls.crt': this.#leaf?.certificate.pem ?? '', 'tls.key': this.#leaf?.key ?? '' };
    await this.#mounted.bring({ ...files, 'ca.crt': this.bundle });
  }
}
