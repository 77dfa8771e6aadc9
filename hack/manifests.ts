import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** What the manifests call each image. */
export const imageNames = {
  operator: 'isp-support/operator:0.1.0',
  api: 'isp-support/api:0.1.0',
  postgres: 'isp-support/postgres:15',
  redis: 'redis:7.4',
  rabbitmq: 'rabbitmq:3.13-management',
  haproxy: 'haproxy:2.8',
  pgbouncer: 'isp-support/pgbouncer:1.18',
} as const;

/** The manifests of one folder, by file name, in alphabetical order. */
export function readManifests(folder: string): Map<string, string> {
  const files = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.yaml'));
  return new Map(files.sort().map((name) => [name, readFileSync(join(ROOT, folder, name), 'utf8')]));
}

/** A manifest with other images in place of those it names. */
export function withImages(manifest: string, images: ReadonlyMap<string, string>): string {
  let text = manifest;
  for (const [name, placeholder] of Object.entries(imageNames)) {
    const image = images.get(name);
    if (image !== undefined) text = text.replaceAll(placeholder, image);
  }
  return text;
}
