import { bundleName, leafKeys } from '../../certificates/names.ts';
import type { Platform } from '../../core/platform.ts';
import type { PodSpec } from '../server-pod.ts';
import { TLS_DIRECTORY, TLS_FILES, tlsSecretName } from './names.ts';

export const tlsMount = { name: 'tls', mountPath: TLS_DIRECTORY, readOnly: true } as const;

/** Options of `redis-cli` in a server's container. */
export const cliOptions: readonly string[] = ['--tls', '--cacert', TLS_FILES.bundle];

/** The bundle with all its names, so that a server can be told to read one by the name of its content. */
export function tlsVolume(platform: Platform): NonNullable<PodSpec['volumes']>[number] {
  const leaf = [leafKeys.certificate, leafKeys.key].map((key) => ({ key, path: key }));
  return {
    name: 'tls',
    projected: {
      defaultMode: 0o440,
      sources: [
        { secret: { name: tlsSecretName(platform), items: leaf } },
        { configMap: { name: bundleName(platform) } },
      ],
    },
  };
}
