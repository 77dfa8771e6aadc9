import { connect } from 'node:net';
import { presentedOn } from '../../certificates/presented.ts';
import { isReply, type RedisClient } from '../client.ts';
import type { Address } from '../cluster-nodes.ts';
import { parsePairs, problemOf } from '../probe.ts';
import type { Part } from '../sentinel/names.ts';
import type { Answer } from '../sentinel/views.ts';

/** Paths in the server's container. */
interface TlsFiles {
  readonly certificate: string;
  readonly bundle: string;
}

/** What a server or a Sentinel does with the certificates that it was given. */
export interface TlsReading {
  readonly kind: 'view';
  /** The certificate that it shows to whoever connects, by its id. */
  readonly presented: string;
  /** The files that it has read; a Sentinel does not tell. */
  readonly files?: TlsFiles;
}

/** Asks once: on the wire, over a connection of its own, and in words. Never throws for what is a finding. */
export async function askTls(
  client: RedisClient,
  part: Part,
  { host, port }: Address,
  signal: AbortSignal,
): Promise<Answer<TlsReading>> {
  const socket = connect({ host, port });
  try {
    const presented = await presentedOn(socket, signal);
    if (part === 'sentinel') return { kind: 'view', presented };
    const [reply] = await client.send([['CONFIG', 'GET', 'tls-cert-file', 'tls-ca-cert-file']], signal);
    if (isReply(reply)) throw reply;
    const { 'tls-cert-file': certificate = '', 'tls-ca-cert-file': bundle = '' } = parsePairs(reply);
    return { kind: 'view', presented, files: { certificate, bundle } };
  } catch (error) {
    return signal.aborted ? { kind: 'problem', problem: 'timeout', message: 'does not answer' } : problemOf(error);
  } finally {
    socket.destroy();
  }
}
