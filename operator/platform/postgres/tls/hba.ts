import { REPLICATION_USER } from '../names.ts';

/** Who may connect how: over the network with a password, and where TLS is demanded with nothing but TLS. */
export function hbaRules(demandsTls: boolean): string[] {
  const host = demandsTls ? 'hostssl' : 'host';
  return [
    'local all all trust',
    'local replication all trust',
    `${host} replication ${REPLICATION_USER} all scram-sha-256`,
    `${host} all all all scram-sha-256`,
  ];
}
