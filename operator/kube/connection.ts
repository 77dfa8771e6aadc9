/** How to reach an API server and how to say who asks. */
export interface Connection {
  /** For example `https://10.96.0.1:443`; a path is kept as a prefix of every request. */
  readonly server: string;
  /** The namespace of the context or of the pod, where there is one. */
  readonly namespace: string | undefined;
  /** What the next TLS connection is made with. Read anew for each, so that rotated files are picked up. */
  tls(): Promise<TlsMaterial>;
  /** Headers that authenticate the next request. Cheap: called for every request. */
  headers(): Promise<Record<string, string>>;
  /** Tells that the server answered 401, so that credentials kept in memory are read again. */
  rejected(): void;
}

export interface TlsMaterial {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}
