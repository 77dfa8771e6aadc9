import { run } from './cluster/exec.ts';
import type { Progress } from './cluster/progress.ts';
import { deploy } from './deploy.ts';
import { builtImages, type Environment, environment } from './environment.ts';

const NODES = 3;
/** Built for those who want it; no platform needs it yet. */
const NOT_LOADED = new Set(['haproxy']);

/** A cluster with the images on its nodes and the operator running: everything but a platform. */
export async function install(progress: Progress): Promise<Environment> {
  const surroundings = await environment(progress);
  const { provider } = surroundings;
  await progress.step('cluster', () => provider.up({ nodes: NODES }), 'under a minute, once its tools are built');
  if (provider.name !== 'existing') {
    const node = (args: readonly string[]): Promise<string> =>
      run(process.execPath, args, { onLine: (line) => progress.say(line) });
    await progress.step('build images', () => node(['hack/images/main.ts', 'build']), '5 min the first time');
    const images = [...(await builtImages(provider))].filter(([name]) => !NOT_LOADED.has(name));
    await progress.step('load images', () => provider.load(images.map(([, reference]) => reference)));
  }
  await deploy(surroundings, progress);
  return surroundings;
}
