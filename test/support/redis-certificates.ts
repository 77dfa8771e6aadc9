import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisTrust } from '../../operator/platform/redis/client.ts';
import { TLS_DIRECTORY } from '../../operator/platform/redis/tls/names.ts';
import { listenSettings } from '../../operator/platform/redis/tls/settings.ts';
import { MountedCertificates } from './mounted-certificates.ts';

/** Where servers on loopback are found by a name that a certificate can have. */
export const TLS_HOST = 'localhost';

/** Those of servers of Redis. */
export class RedisCertificates extends MountedCertificates {
  static async make(): Promise<RedisCertificates> {
    const made = new RedisCertificates(await mkdtemp(join(tmpdir(), 'redis-tls-')), [TLS_HOST]);
    await made.create();
    return made;
  }

  get operatorsTrust(): RedisTrust {
    return { ca: this.bundle, servername: TLS_HOST };
  }

  /** What the operator configures, with the files where they are. */
  settings(port: number): [name: string, value: string][] {
    return listenSettings(port, true).map(([name, value]) => [name, value.replace(TLS_DIRECTORY, this.directory)]);
  }
}
