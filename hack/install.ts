import type { Progress } from './cluster/progress.ts';
import { deploy } from './deploy.ts';
import { buildImages, type Environment, environment } from './environment.ts';

const NODES = 3;

/** A cluster with the images on its nodes and the operator running: everything but a platform. */
export async function install(progress: Progress): Promise<Environment> {
  const surroundings = await environment(progress);
  const { provider } = surroundings;
  await progress.step('cluster', () => provider.up({ nodes: NODES }), 'under a minute, once its tools are built');
  let images = new Map<string, string>();
  if (provider.name !== 'existing') {
    images = await progress.step('build images', () => buildImages(progress), '5 min the first time');
    await progress.step('load images', () => provider.load([...images.values()]));
  }
  await deploy(surroundings, images, progress);
  return surroundings;
}

/** The namespace of the sample and of the suite, under the strictest Pod Security Standard. */
export async function prepareNamespace({ kubectl }: Environment): Promise<void> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'support', labels } };
  await kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify(namespace));
}
