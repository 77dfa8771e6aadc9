import { join } from 'node:path';
import { repositoryRoot } from '../cluster/cache.ts';

/** Debian, which every image is based on; made by debootstrap where there is no registry to pull it from. */
export const debianImage = 'docker.io/library/debian:bookworm-slim';

/** One image of the platform. */
export interface ImageSpec {
  name: string;
  dockerfile: string;
  /** The folder that the Dockerfile may copy from. */
  context: string;
  base: 'debian' | 'node';
  /** Set on the operator, so that platforms of this cluster use the image. */
  environmentVariable?: string;
}

const images = join(repositoryRoot, 'hack', 'images');

function systemImage(name: string): ImageSpec {
  const environmentVariable = `RELATED_IMAGE_${name.toUpperCase()}`;
  const context = join(images, name);
  return { name, dockerfile: join(context, 'Dockerfile'), context, base: 'debian', environmentVariable };
}

function bundledImage(name: string): ImageSpec {
  const dockerfile = join(repositoryRoot, name, 'Dockerfile');
  return { name, dockerfile, context: bundleFolder(name), base: 'node' };
}

/** Where the bundles that go into an image are written. */
export function bundleFolder(name: string): string {
  return join(repositoryRoot, 'dist', name);
}

export const catalog: readonly ImageSpec[] = [
  systemImage('postgres'),
  systemImage('redis'),
  systemImage('rabbitmq'),
  systemImage('haproxy'),
  systemImage('pgbouncer'),
  { ...bundledImage('api'), environmentVariable: 'RELATED_IMAGE_API' },
  bundledImage('operator'),
];

/** Built only when asked for by name: no platform needs it by default. */
const onDemand: ReadonlySet<string> = new Set(['haproxy']);

/** The images with these names, or all that a platform needs when none is given. */
export function selectImages(names: readonly string[]): ImageSpec[] {
  if (names.length === 0) return catalog.filter(({ name }) => !onDemand.has(name));
  return names.map((name) => {
    const spec = catalog.find((candidate) => candidate.name === name);
    if (!spec) throw new Error(`no image ${name}: there are ${catalog.map((candidate) => candidate.name).join(', ')}`);
    return spec;
  });
}

/** An image's full name: its tag is the key of all that went into it. */
export function imageReference(name: string, key: string): string {
  return `localhost/isp-support/${name}:${key}`;
}
