import { type ApiServer, startApiServer } from './index.ts';

let starting: Promise<ApiServer> | undefined;

/** Stops the shared server after the last test of the process: importing this file in a test registers it. */
after(async function stopSharedApiServer() {
  this.timeout(30_000);
  const server = await starting;
  starting = undefined;
  await server?.stop();
});

/**
 * The API server that all tests of a process share, started by the first that needs it. Call within `describe`; use `current` within
 * hooks and tests. Each test file works in namespaces of its own.
 */
export function useApiServer(): { readonly current: ApiServer } {
  let server: ApiServer | undefined;
  before(async function startSharedApiServer() {
    this.timeout(120_000);
    starting ??= startApiServer();
    server = await starting;
  });
  return {
    get current() {
      if (server === undefined) throw new Error('the API server is started by a before hook: use it within a test');
      return server;
    },
  };
}

let namespaces = 0;

/** Makes a namespace that no other test uses. Nothing deletes it: there is no namespace controller and the server goes away. */
export async function newNamespace(server: ApiServer, prefix = 'test'): Promise<string> {
  namespaces += 1;
  const name = `${prefix}-${namespaces}`;
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  await server.client.raw('POST', '/api/v1/namespaces', namespace);
  return name;
}
