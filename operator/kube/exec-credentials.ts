import type { TlsMaterial } from './connection.ts';
import type { Kubeconfig } from './kubeconfig.ts';

/** Credentials that a program or an identity provider gives out. */
export interface PluginCredentials {
  tls(): Promise<TlsMaterial>;
  headers(): Promise<Record<string, string>>;
  expire(): void;
}

interface Applied {
  headers?: Record<string, string>;
  cert?: string | Buffer;
  key?: string | Buffer;
}

/**
 * Credentials from `exec` and `auth-provider` entries, through the official client, which knows their protocols and caches what they
 * answer until it expires. It is loaded only when such an entry is used: it takes 60 MB of memory and half a second.
 */
export function pluginCredentials(config: Kubeconfig): PluginCredentials {
  let source: Promise<() => Promise<Applied>> | undefined;

  async function load(): Promise<() => Promise<Applied>> {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const official = new KubeConfig();
    official.loadFromString(JSON.stringify(config));
    return async () => {
      const options: Applied = {};
      await official.applyToHTTPSOptions(options as Parameters<typeof official.applyToHTTPSOptions>[0]);
      return options;
    };
  }

  async function apply(): Promise<Applied> {
    source ??= load();
    try {
      return await (await source)();
    } catch (error) {
      source = undefined;
      throw error;
    }
  }

  return {
    tls: async () => {
      const { cert, key } = await apply();
      return { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
    },
    headers: async () => lowerCased((await apply()).headers ?? {}),
    expire: () => {
      source = undefined;
    },
  };
}

function lowerCased(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
}
