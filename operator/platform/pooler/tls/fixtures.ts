import type { Pod, Secret } from '../../../kube/resources.ts';
import type { KubeObject } from '../../../kube/types.ts';
import type { KeyPair } from '../../certificates/authority.ts';
import { issueAuthority, issueLeaf } from '../../certificates/issue.ts';
import { authorityKeys, leafKeys } from '../../certificates/names.ts';
import type { Scope } from '../../core/component.ts';
import { encodeSecret } from '../../core/secrets.ts';
import { cached, scopeOf } from '../../core/testing/scope.ts';
import { podOf } from '../../postgres/fixtures.ts';
import { TLS_ANNOTATION, TLS_OFFERED } from '../../postgres/tls/names.ts';
import type { PlatformSpec } from '../../schema/spec.ts';
import { appPassword, poolerPod, poolerSecrets, secretOf } from '../fixtures.ts';
import type { PoolerKind } from '../names.ts';
import { poolerDnsNames } from './names.ts';
import type { PoolerTlsReading } from './reading.ts';

export const BOTH_ENABLED = { postgres: { pooler: { enabled: true }, tls: { enabled: true } } };

/** An authority and what it signed for the poolers, as Secrets. */
export interface Issued {
  readonly authority: KeyPair;
  readonly leaf: KeyPair;
  readonly secrets: readonly Secret[];
}

export async function issued(): Promise<Issued> {
  const { platform, now } = scopeOf();
  const authority = await issueAuthority('acme.support', now);
  const leaf = await issueLeaf(authority, poolerDnsNames(platform), now);
  const pairOf = ({ certificate, key }: KeyPair) => ({ certificate: certificate.pem, key });
  const own = pairOf(authority);
  const { certificate, key } = pairOf(leaf);
  return {
    authority,
    leaf,
    secrets: [
      cached<Secret>({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'acme-ca' } } as Secret, 'certificates', {
        data: encodeSecret({ [authorityKeys.certificate]: own.certificate, [authorityKeys.key]: own.key }),
      }),
      secretOf(
        'acme-postgres-pooler-tls',
        { [leafKeys.certificate]: certificate, [leafKeys.key]: key, [leafKeys.authorities]: own.certificate },
        'pooler',
      ),
    ],
  };
}

/** A pod of a pooler: its kind, its name, and what it said of TLS; `plain` for one that has none. */
export type PlayedPod = readonly [PoolerKind, string, (PoolerTlsReading | 'plain' | undefined)?];

export interface TlsScope {
  readonly issued: Issued;
  readonly spec?: PlatformSpec;
  /** Whether each member offers TLS. */
  readonly members?: readonly boolean[];
  readonly pods?: readonly PlayedPod[];
  readonly objects?: readonly KubeObject[];
  /** On the poolers' pods. */
  readonly annotations?: Record<string, string>;
}

/** The platform `acme` with these poolers; what members say of TLS is not known. */
export function tlsScope({ issued: { secrets }, spec = BOTH_ENABLED, ...input }: TlsScope): Scope {
  const { members = [true, true, true], pods = [], objects = [], annotations = {} } = input;
  const secured = { [TLS_ANNOTATION]: TLS_OFFERED };
  const played = pods.map(([kind, name, reading]) => ({
    pod: poolerPod(kind, name, { ...annotations, ...(reading === 'plain' ? {} : secured) }),
    reading: reading === 'plain' || reading === undefined ? [] : [[`pooler-tls/${kind}/${name}`, reading] as const],
  }));
  const answers = played.flatMap(({ reading }) => reading).map(([name, value]) => [name, { ok: true, value }]);
  return scopeOf({
    spec,
    objects: [
      ...members.map((offers, ordinal) => memberPod(ordinal, offers ? secured : {})),
      ...played.map(({ pod }) => pod),
      appPassword,
      poolerSecrets,
      ...secrets,
      ...objects,
    ],
    probes: Object.fromEntries(answers) as Record<string, unknown>,
  });
}

function memberPod(ordinal: number, annotations: Record<string, string>): Pod {
  const pod = podOf(ordinal);
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}
