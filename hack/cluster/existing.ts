import { run } from './exec.ts';
import type { Progress } from './progress.ts';
import type { ClusterProvider } from './provider.ts';

/** A cluster that somebody else made: it is used as it is, and neither made, broken nor taken away. */
export function createExistingProvider(kubeconfig: string, progress: Progress): ClusterProvider {
  function refuse(what: string): never {
    throw new Error(
      `${what}: not with the cluster of KUBECONFIG=${kubeconfig}; set ISP_CLUSTER_PROVIDER to use a cluster made here`,
    );
  }
  return {
    name: 'existing',
    kubeconfig: () => kubeconfig,
    async up() {
      await run('kubectl', ['--kubeconfig', kubeconfig, 'get', '--raw', '/readyz']);
      progress.say(`using the cluster of KUBECONFIG=${kubeconfig}: none is made`);
    },
    async down() {
      progress.say(`the cluster of KUBECONFIG=${kubeconfig} was not made here: left as it is`);
    },
    load: async () => refuse('loading images (push them to a registry that the cluster pulls from)'),
    partition: async () => refuse('cutting a node off'),
    heal: async () => refuse('joining a node again'),
    freeze: async () => refuse('freezing a container'),
    thaw: async () => refuse('thawing a container'),
    kill: async () => refuse('killing a container'),
    block: async () => refuse('cutting a pod off from a port'),
    unblock: async () => refuse('joining a pod to a port again'),
    freezeApiServer: async () => refuse('stopping the API server'),
    thawApiServer: async () => refuse('letting the API server go on'),
  };
}
