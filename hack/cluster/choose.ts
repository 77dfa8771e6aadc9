import { succeeds } from './exec.ts';
import { createExistingProvider } from './existing.ts';
import { createKindProvider, kindKubeconfig } from './kind/kind.ts';
import { kubeconfigPath } from './local/layout.ts';
import { createLocalProvider } from './local/local.ts';
import type { Progress } from './progress.ts';
import type { ClusterProvider } from './provider.ts';

/** What the choice of a cluster depends on. */
export interface Circumstances {
  /** ISP_CLUSTER_PROVIDER. */
  forced: string | undefined;
  /** KUBECONFIG. */
  kubeconfig: string | undefined;
  /** Whether Docker answers and kind is there or can be installed; asked only when nothing else decides. */
  canUseKind: () => Promise<boolean>;
}

/** Which kind of cluster to use: the forced one, else the one that KUBECONFIG names, else kind, else local. */
export async function decideProvider(circumstances: Circumstances): Promise<ClusterProvider['name']> {
  const { forced, kubeconfig, canUseKind } = circumstances;
  if (forced === 'kind' || forced === 'local') return forced;
  if (forced) throw new Error(`ISP_CLUSTER_PROVIDER=${forced}: give kind or local`);
  if (kubeconfig === kubeconfigPath) return 'local';
  if (kubeconfig === kindKubeconfig()) return 'kind';
  if (kubeconfig) return 'existing';
  return (await canUseKind()) ? 'kind' : 'local';
}

async function canUseKind(): Promise<boolean> {
  if (!(await succeeds('docker', ['info']))) return false;
  return (await succeeds('kind', ['version'])) || (await succeeds('go', ['version']));
}

export async function chooseProvider(
  progress: Progress,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ClusterProvider> {
  const kubeconfig = env['KUBECONFIG'] || undefined;
  const name = await decideProvider({ forced: env['ISP_CLUSTER_PROVIDER'] || undefined, kubeconfig, canUseKind });
  if (name === 'kind') return createKindProvider(progress);
  if (name === 'local') return createLocalProvider(progress);
  return createExistingProvider(kubeconfig ?? '', progress);
}
