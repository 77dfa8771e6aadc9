import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { type LookupFunction, Socket } from 'node:net';

/** What a name service that is well takes a few milliseconds for. */
const PATIENCE_MS = 500;

type Found = string | LookupAddress[];
type Resolve = (
  hostname: string,
  options: LookupOptions,
  callback: (error: NodeJS.ErrnoException | null, found: Found, family?: number) => void,
) => void;

/**
 * Looks names up as `dns.lookup` does, and goes by the last answer where none comes within half a second, or only that there is none for now
 * (`EAI_AGAIN`). The names that this platform connects to are those of Services, whose addresses stay; and a node that is gone often takes a server of
 * names with it, which would keep everybody from what has long failed over. That a name does not exist (`ENOTFOUND`) is an answer like any other.
 *
 * @param resolve as `dns.lookup`
 */
export function rememberedLookup(resolve: Resolve = lookup as Resolve): LookupFunction {
  const known = new Map<string, { found: Found; family: number | undefined }>();
  return (hostname, options, callback) => {
    const key = JSON.stringify([hostname, options.all, options.family]);
    const last = known.get(key);
    let isAnswered = false;
    const answer = (error: NodeJS.ErrnoException | null, found: Found, family?: number): void => {
      if (isAnswered) return;
      isAnswered = true;
      clearTimeout(patience);
      callback(error, found, family);
    };
    const patience = last && setTimeout(() => answer(null, last.found, last.family), PATIENCE_MS);
    resolve(hostname, options, (error, found, family) => {
      if (error === null) known.set(key, { found, family });
      if (error?.code === 'ENOTFOUND') known.delete(key);
      if (error?.code === 'EAI_AGAIN' && last !== undefined) answer(null, last.found, last.family);
      else answer(error, found, family);
    });
  };
}

/** One memory for the whole process. */
export const lookupOrLast = rememberedLookup();

/** A socket for clients that connect one by port and name. */
export class RememberingSocket extends Socket {
  override connect(...args: unknown[]): this {
    const [port, host] = args;
    if (typeof port === 'number' && typeof host === 'string')
      return super.connect({ port, host, lookup: lookupOrLast });
    return super.connect(...(args as Parameters<Socket['connect']>));
  }
}
