import type { Scope } from '../../core/component.ts';
import type { PostgresAction } from '../actions.ts';
import type { Observed } from '../observe.ts';
import { tlsReadingOf } from './facts.ts';
import type { TlsReading } from './reading.ts';

/**
 * Pure: who has to read anew what the kubelet has brought: Postgres its certificate, when it shows another than the mounted one, and the Patroni of a
 * standby its file, when that says otherwise than the standby does about verifying its primary.
 */
export function tlsReloads(scope: Scope, { members }: Observed): readonly PostgresAction[] {
  const which = (isBehind: (reading: TlsReading) => boolean) =>
    members.flatMap(({ name, pod }) => {
      const reading = tlsReadingOf(scope, pod);
      const address = pod.status?.podIP;
      return reading !== undefined && address !== undefined && isBehind(reading) ? { name, address } : [];
    });
  const certificate = which(({ mounted, presented }) => mounted !== undefined && mounted !== presented);
  const patroni = which(({ inRecovery, verifies, fileVerifies }) => inRecovery && verifies !== fileVerifies);
  return [
    ...(certificate.length === 0 ? [] : [{ type: 'postgres.reload-certificate', members: certificate } as const]),
    ...(patroni.length === 0 ? [] : [{ type: 'postgres.reload-patroni', members: patroni } as const]),
  ];
}
