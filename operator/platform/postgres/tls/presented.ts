import { once } from 'node:events';
import { connect } from 'node:net';
import { presentedOn } from '../../certificates/presented.ts';

/** Protocol version 1234.5679 asks for TLS; it has no content, and is 8 bytes long. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/**
 * The certificate that a Postgres shows to a client now, by its id, whatever was mounted since. Rejects when it offers no TLS, with the socket's error, or with
 * the signal's reason.
 */
export async function presentedCertificate(host: string, port: number, signal: AbortSignal): Promise<string> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal });
    socket.write(SSL_REQUEST);
    const [answer] = (await once(socket, 'data', { signal })) as [Buffer];
    if (answer.toString('latin1') !== 'S') throw new Error('it offers no TLS');
    return await presentedOn(socket, signal);
  } finally {
    socket.destroy();
  }
}
