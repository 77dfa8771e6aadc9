import { leafKeys } from '../../certificates/names.ts';
import { MANAGEMENT_PORT } from '../names.ts';
import { AMQPS_PORT, type Listening, MANAGEMENT_TLS_PORT, TLS_DIRECTORY } from './names.ts';

const FILES = {
  certfile: `${TLS_DIRECTORY}/${leafKeys.certificate}`,
  keyfile: `${TLS_DIRECTORY}/${leafKeys.key}`,
} as const;
const VERSIONS = { 'versions.1': 'tlsv1.3', 'versions.2': 'tlsv1.2' } as const;

/**
 * How a node listens for AMQP and for its management API. A client is known by its password, so none is asked for a certificate. Files are read
 * at each handshake (`bypass_pem_cache`): else Erlang looks only every two minutes whether one has changed.
 */
export function listenSettings(listening: Listening): Record<string, string | number> {
  if (listening === 'plain') return {};
  return {
    ...(listening === 'tls' ? { 'listeners.tcp': 'none' } : {}),
    'listeners.ssl.default': AMQPS_PORT,
    ...prefixed('ssl_options', { ...FILES, ...VERSIONS, bypass_pem_cache: 'true' }),
    // With the second alone there is no listener of the first kind.
    ...(listening === 'both' ? { 'management.tcp.port': MANAGEMENT_PORT } : {}),
    ...prefixed('management.ssl', { port: MANAGEMENT_TLS_PORT, ...FILES, ...VERSIONS }),
  };
}

function prefixed<T extends string | number>(prefix: string, settings: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [`${prefix}.${key}`, value]));
}
