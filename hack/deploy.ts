import { readdir, readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { createProgress, type Progress } from './cluster/progress.ts';
import { builtImages, type Environment, environment } from './environment.ts';

const FOLDERS = ['crds', 'manifests/operator'];

/** What the manifests call the images, and which of those built here takes their place. */
const placeholders: Readonly<Record<string, string>> = {
  operator: 'isp-support/operator:0.1.0',
  api: 'isp-support/api:0.1.0',
  postgres: 'isp-support/postgres:15',
  redis: 'redis:7.4',
  rabbitmq: 'rabbitmq:3.13-management',
  haproxy: 'haproxy:2.8',
};

/** The manifests with the images that were built here in place of the released ones. */
export function render(manifests: string, images: ReadonlyMap<string, string>): string {
  let rendered = manifests;
  for (const [name, placeholder] of Object.entries(placeholders)) {
    const image = images.get(name);
    if (image !== undefined) rendered = rendered.replaceAll(placeholder, image);
  }
  return rendered;
}

async function readManifests(): Promise<string> {
  const texts: string[] = [];
  for (const folder of FOLDERS)
    for (const file of (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort())
      texts.push(await readFile(`${folder}/${file}`, 'utf8'));
  // Namespaces go first: what is in them cannot be made before them.
  const documents = texts.flatMap((text) => text.split(/^---$/m));
  const isNamespace = (document: string): boolean => /^kind: Namespace$/m.test(document);
  return [...documents.filter(isNamespace), ...documents.filter((document) => !isNamespace(document))].join('\n---\n');
}

/** Installs the CRD and the operator, and waits until its replicas are ready. */
export async function deploy({ provider, kubectl }: Environment, progress: Progress): Promise<void> {
  await progress.step('install the operator', async () => {
    const manifests = render(await readManifests(), await builtImages(provider));
    await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], manifests);
    await kubectl(['wait', '--for=condition=Established', 'crd/ispsupportplatforms.isp.support', '--timeout=60s']);
    await kubectl([
      '-n',
      'isp-support-system',
      'rollout',
      'status',
      'deployment/isp-support-operator',
      '--timeout=180s',
    ]);
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const progress = createProgress();
  await deploy(await environment(progress), progress);
}
