import type { Pod } from '../../../kube/resources.ts';
import type { Scope } from '../../core/component.ts';
import type { Answer } from '../../postgres/reading.ts';
import { offersTls } from '../../postgres/tls/names.ts';
import type { TlsPooler } from '../../postgres/tls/phases.ts';
import { POOLER_KINDS, type PoolerKind, poolerName } from '../names.ts';
import { poolerPods } from '../observe.ts';
import type { PoolerTlsReading } from './reading.ts';

export function poolerTlsProbeName(kind: PoolerKind, pod: Pod): string {
  return `pooler-tls/${kind}/${pod.metadata.name}`;
}

/** What a pod of a pooler said of TLS last; undefined when it has not been asked, or did not answer. */
export function poolerTlsReadingOf({ probes }: Scope, kind: PoolerKind, pod: Pod): PoolerTlsReading | undefined {
  const answer = probes.get<Answer<PoolerTlsReading>>(poolerTlsProbeName(kind, pod))?.value;
  return answer?.ok === true ? answer.value : undefined;
}

export interface TlsPod {
  readonly kind: PoolerKind;
  readonly pod: Pod;
  readonly reading: PoolerTlsReading | undefined;
}

/** The pods of both poolers that run or will. */
export function tlsPods(scope: Scope): TlsPod[] {
  return POOLER_KINDS.flatMap((kind) =>
    poolerPods(scope, kind)
      .filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
      .map((pod) => ({ kind, pod, reading: poolerTlsReadingOf(scope, kind, pod) })),
  );
}

/** Each of them, for the phases of TLS. */
export function tlsPoolers(scope: Scope): TlsPooler[] {
  return tlsPods(scope).map(({ kind, pod, reading }) => {
    const offers = offersTls(pod);
    return {
      name: poolerName(scope.platform, kind),
      offers,
      serves: reading !== undefined,
      demands: offers && reading?.demands !== false,
      plainClients: reading?.plainClients ?? [],
    };
  });
}
