import { TLS_FILES } from './names.ts';

type Settings = readonly (readonly [name: string, value: string])[];

/** How a server or a Sentinel listens. With TLS it listens for nothing else, and asks the others of its kind with TLS. */
export function listenSettings(port: number, tls: boolean): Settings {
  if (!tls) return [['port', String(port)]];
  return [
    ['port', '0'],
    ['tls-port', String(port)],
    ['tls-cert-file', TLS_FILES.certificate],
    ['tls-key-file', TLS_FILES.key],
    ['tls-ca-cert-file', TLS_FILES.bundle],
    // The password says who a client is.
    ['tls-auth-clients', 'no'],
    ['tls-replication', 'yes'],
  ];
}

/** The bus of a cluster. Clients are told names instead of addresses, for these are in the certificate. */
export function clusterTlsSettings(tls: boolean): Settings {
  if (!tls) return [];
  return [
    ['tls-cluster', 'yes'],
    ['cluster-preferred-endpoint-type', 'hostname'],
  ];
}
