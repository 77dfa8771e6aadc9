import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

export interface LivenessOptions {
  /** How often to look, in milliseconds: the interval of the HTTP/2 pings, each of which makes a live peer send something. */
  readonly intervalMs: number;
  /** How long nothing may arrive before the connection is ended, in milliseconds. */
  readonly silenceMs: number;
}

/**
 * Ends HTTP/2 connections whose peer has vanished without closing them (a lost node, a dropped NAT entry). TCP alone takes a quarter of an
 * hour to notice, and until then every watch on the connection would look alive and be deaf.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  readonly #sockets = new Map<Socket, { bytes: number; at: number }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sockets.size;
  }

  add(socket: Socket): void {
    this.#sockets.set(socket, { bytes: socket.bytesRead, at: performance.now() });
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.stop();
    });
    this.#timer ??= setInterval(() => this.#look(), this.#options.intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = performance.now();
    for (const [socket, seen] of this.#sockets) {
      // An idle HTTP/1.1 connection is rightly silent; the time limits of its requests guard it.
      const silent = (socket as TLSSocket).alpnProtocol === 'h2' && socket.bytesRead === seen.bytes;
      if (!silent) this.#sockets.set(socket, { bytes: socket.bytesRead, at: now });
      else if (now - seen.at >= this.#options.silenceMs) {
        socket.destroy(new Error(`the API server sent nothing for ${Math.round(now - seen.at)} ms, not even a ping`));
      }
    }
  }
}
