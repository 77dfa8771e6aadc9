import { createProgress, type Progress } from './cluster/progress.ts';
import { builtImages, type Environment, environment } from './environment.ts';
import { readManifests, withImages } from './manifests.ts';

/** Everything to install, with the images that were built here where there are any; namespaces first. */
function documents(images: ReadonlyMap<string, string>): string {
  const texts = ['crds', 'manifests/operator'].flatMap((folder) => [...readManifests(folder).values()]);
  const all = texts.flatMap((text) => withImages(text, images).split(/^---$/m));
  const isNamespace = (document: string): boolean => /^kind: Namespace$/m.test(document);
  return [...all.filter(isNamespace), ...all.filter((document) => !isNamespace(document))].join('\n---\n');
}

/** Installs the CRD and the operator, and waits until its replicas are ready. */
export async function deploy(
  { kubectl }: Environment,
  images: ReadonlyMap<string, string>,
  progress: Progress,
): Promise<void> {
  await progress.step('install the operator', async () => {
    const manifests = documents(images);
    await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], manifests);
    await kubectl(['wait', '--for=condition=Established', 'crd/ispsupportplatforms.isp.support', '--timeout=60s']);
    const rollout = ['rollout', 'status', 'deployment/isp-support-operator', '--timeout=180s'];
    await kubectl(['-n', 'isp-support-system', ...rollout]);
  });
}

if (import.meta.main) {
  const progress = createProgress();
  const surroundings = await environment(progress);
  await deploy(surroundings, await builtImages(surroundings.provider), progress);
}
