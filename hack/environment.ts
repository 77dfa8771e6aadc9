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
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
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

/** Builds what is not built yet and gives the reference of every image by its name. */
export async function buildImages(progress: Progress): Promise<Map<string, string>> {
  const options = { onLine: (line: string) => progress.say(line) };
  return references(await run(process.execPath, ['hack/images/main.ts', 'build'], options));
}

/** The references of the images as they would be built now; none for a cluster of somebody else's, which pulls its own. */
export async function builtImages(provider: ClusterProvider): Promise<Map<string, string>> {
  if (provider.name === 'existing') return new Map();
  return references(await run(process.execPath, ['hack/images/main.ts', 'list']));
}

function references(lines: string): Map<string, string> {
  return new Map(
    lines
      .trim()
      .split('\n')
      .map((line) => {
        const [name = '', reference = ''] = line.split('=');
        return [name, reference];
      }),
  );
}
