import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Passes bytes on to a port of a loopback address, counts the connections, and cuts or freezes them when told to. */
export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #accepted = 0;
  #most = 0;
  #refusing = false;
  #targetPort: number;

  constructor(targetPort: number, targetHost = '127.0.0.1') {
    this.#targetPort = targetPort;
    this.#server = createServer((inside) => {
      if (this.#refusing) {
        inside.destroy();
        return;
      }
      this.#accepted += 1;
      const outside = connect(this.#targetPort, targetHost);
      const pair = [inside, outside] as const;
      this.#pairs.add(pair);
      this.#most = Math.max(this.#most, this.#pairs.size);
      inside.pipe(outside).pipe(inside);
      for (const socket of pair) {
        // An error is followed by close, which ends both sides.
        socket.on('error', () => undefined).on('close', () => this.#end(pair));
      }
    });
  }

  /** Starts to listen on a free port and returns it. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#pairs.size;
  }

  /** The most that were open at once. */
  get mostOpen(): number {
    return this.#most;
  }

  /** All connections there have been. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Ends every connection without a goodbye, in the middle of whatever it carries. */
  cut(): void {
    for (const [inside] of this.#pairs) inside.resetAndDestroy();
  }

  /** Ends every connection and accepts no other until `restore`. */
  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  restore(): void {
    this.#refusing = false;
  }

  /** Leads new connections to another port, as a Service that has changed its mind; those that are open stay where they are. */
  lead(targetPort: number): void {
    this.#targetPort = targetPort;
    this.#refusing = false;
  }

  /** Keeps every connection open and carries nothing: what a lost node or a forgotten NAT entry looks like. */
  freeze(): void {
    for (const [inside, outside] of this.#pairs) {
      inside.unpipe(outside).pause();
      outside.unpipe(inside).pause();
    }
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) this.#end(pair);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #end(pair: readonly [Socket, Socket]): void {
    this.#pairs.delete(pair);
    for (const socket of pair) socket.destroy();
  }
}
