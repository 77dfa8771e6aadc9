import type { KubeClient } from '../../../operator/kube/client.ts';
import type { ApiServer } from '../../support/apiserver/index.ts';
import { newNamespace } from '../../support/apiserver/shared.ts';
import { Controllers } from '../../support/controllers/index.ts';
import { establishDefinition } from '../crd/platforms.ts';

/** A namespace of a real API server in which the rest of a cluster is played. */
export interface PlayedCluster {
  readonly client: KubeClient;
  /** To be stopped at the end. */
  readonly controllers: Controllers;
  readonly namespace: string;
}

/** One member and one node are what the played engines are. */
export const PLAYED_SPEC = { customers: 100, postgres: { instances: 1 }, rabbitmq: { nodes: 1 } };

export async function startPlayedCluster(server: ApiServer, name: string): Promise<PlayedCluster> {
  const { client } = server;
  await establishDefinition(client, AbortSignal.timeout(20_000));
  const controllers = new Controllers(client);
  await controllers.start();
  return { client, controllers, namespace: await newNamespace(server, name) };
}
