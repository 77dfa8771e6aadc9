import { connect } from 'node:net';
import { presentedOn } from '../../certificates/presented.ts';
import type { ProbeDefinition } from '../../core/component.ts';
import { AMQPS_PORT } from './names.ts';

const INTERVAL_MS = 10_000;
const TIMEOUT_MS = 3_000;

/** What a node does with the certificate that it was given, and which pod was asked. */
export interface TlsReading {
  readonly uid: string;
  readonly host: string;
  /** The certificate that it shows to whoever connects, by its id; absent where it shows none. */
  readonly presented?: string;
}

export function tlsProbeName(pod: string): string {
  return `rabbitmq/tls/${pod}`;
}

/** Looks at the certificate on the wire, over a connection of its own each time. */
export function tlsProbe(asked: { pod: string; uid: string; host: string }): ProbeDefinition<TlsReading> {
  const { pod, uid, host } = asked;
  return {
    name: tlsProbeName(pod),
    component: 'rabbitmq',
    intervalMs: INTERVAL_MS,
    timeoutMs: TIMEOUT_MS,
    target: `${uid} ${host}`,
    run: async (signal) => {
      const presented = await presentedBy(host, signal);
      return { uid, host, ...(presented === undefined ? {} : { presented }) };
    },
    successful: ({ presented }) => presented !== undefined,
  };
}

async function presentedBy(host: string, signal: AbortSignal): Promise<string | undefined> {
  const socket = connect({ host, port: AMQPS_PORT });
  try {
    return await presentedOn(socket, signal);
  } catch {
    // That there is none to be seen is the finding; why not is told by the questions that are asked with TLS.
    return undefined;
  } finally {
    socket.destroy();
  }
}
