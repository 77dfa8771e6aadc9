import { readFileSync } from 'node:fs';

/** How long a token is used before its file is read again, in milliseconds. client-go uses a minute; kubelet rotates at 80 % of life. */
const FRESH_MS = 60_000;

/** A bearer token in a file that somebody else rotates, as the kubelet does with projected service account tokens. */
export class TokenFile {
  readonly #path: string;
  readonly #monotonicMs: () => number;
  #token: string | undefined;
  #readAt = 0;

  constructor(path: string, monotonicMs: () => number = () => performance.now()) {
    this.#path = path;
    this.#monotonicMs = monotonicMs;
  }

  /** The token, read again once a minute. While the file cannot be read the last token stays in use. */
  token(): string {
    const now = this.#monotonicMs();
    if (this.#token !== undefined && now - this.#readAt < FRESH_MS) return this.#token;
    try {
      this.#token = readFileSync(this.#path, 'utf8').trim();
      this.#readAt = now;
    } catch (error) {
      if (this.#token === undefined) throw error;
    }
    return this.#token;
  }

  /** Makes the next call of `token` read the file. */
  expire(): void {
    this.#readAt = Number.NEGATIVE_INFINITY;
  }
}
