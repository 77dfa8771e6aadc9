import { delimiter } from 'node:path';
import { chooseProvider } from './cluster/choose.ts';
import { run } from './cluster/exec.ts';
import type { Progress } from './cluster/progress.ts';
import type { ClusterProvider } from './cluster/provider.ts';
import { ensureToolchain } from './cluster/toolchain.ts';

/** A cluster to work with and what it takes to talk to it. */
export interface Environment {
  readonly provider: ClusterProvider;
  /** For the commands to come: KUBECONFIG, and a PATH with kubectl. */
  readonly env: NodeJS.ProcessEnv;
  kubectl(args: readonly string[], input?: string): Promise<string>;
}

/** The environment of the cluster that is there or can be made; makes nothing but the tools. */
export async function environment(progress: Progress): Promise<Environment> {
  const provider = await chooseProvider(progress);
  const path = process.env['PATH'] ?? '';
  const tools = provider.name === 'local' ? [await ensureToolchain(progress), path] : [path];
  const env = { ...process.env, KUBECONFIG: provider.kubeconfig(), PATH: tools.join(delimiter) };
  return {
    provider,
    env,
    kubectl: async (args, input) => await run('kubectl', args, { env, ...(input === undefined ? {} : { input }) }),
  };
}

/** Image references of what is built here, by name; empty for a cluster of somebody else's, which pulls its own. */
export async function builtImages(provider: ClusterProvider): Promise<Map<string, string>> {
  if (provider.name === 'existing') return new Map();
  const lines = (await run(process.execPath, ['hack/images/main.ts', 'list'])).trim().split('\n');
  return new Map(
    lines.map((line) => {
      const [name = '', reference = ''] = line.split('=');
      return [name, reference];
    }),
  );
}
