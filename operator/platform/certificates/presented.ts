import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { idOf } from './certificate.ts';

const LEAVE_MS = 500;

/**
 * The certificate that a server shows to a client that has just connected, by its id. Whether it is to be trusted is what others find out; here it is
 * only looked at. The socket is the caller's to end. Rejects with the socket's error, or with the signal's reason.
 */
export async function presentedOn(socket: Socket, signal: AbortSignal): Promise<string> {
  const secured = connect({ socket, rejectUnauthorized: false });
  // When the time is over nobody waits any more, and what ends then has nobody else to tell.
  secured.on('error', () => undefined);
  await once(secured, 'secureConnect', { signal });
  const certificate = secured.getPeerX509Certificate();
  if (certificate === undefined) throw new Error('it shows no certificate');
  await takeLeave(secured);
  return idOf(certificate);
}

/** What is cut off without a word is trouble to some, who write a warning of it each time. */
async function takeLeave(socket: TLSSocket): Promise<void> {
  socket.resume();
  socket.end();
  // What was asked for is known by now, however it ends.
  await once(socket, 'close', { signal: AbortSignal.timeout(LEAVE_MS) }).catch(() => undefined);
}
