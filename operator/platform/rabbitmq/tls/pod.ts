import type { Pod } from '../../../kube/resources.ts';
import { leafKeys } from '../../certificates/names.ts';
import type { Platform } from '../../core/platform.ts';
import { TLS_DIRECTORY, tlsSecretName } from './names.ts';

type Volume = NonNullable<NonNullable<Pod['spec']>['volumes']>[number];

export const tlsMount = { name: 'tls', mountPath: TLS_DIRECTORY, readOnly: true } as const;

/** Certificate and key, which a kubelet keeps up to date; nobody is verified with a bundle. */
export function tlsVolume(platform: Platform): Volume {
  const items = [leafKeys.certificate, leafKeys.key].map((key) => ({ key, path: key }));
  return { name: 'tls', secret: { secretName: tlsSecretName(platform), defaultMode: 0o440, items } };
}
