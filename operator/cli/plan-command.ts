import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parseAllDocuments } from 'yaml';
import type { KubeClient } from '../kube/client.ts';
import { resources } from '../kube/resources.ts';
import { KIND } from '../platform/core/names.ts';
import type { Platform } from '../platform/core/platform.ts';
import { resolve } from '../platform/schema/effective.ts';
import type { DefaultImages } from '../platform/schema/images.ts';
import { type PlatformSpec, platformSpecSchema } from '../platform/schema/spec.ts';
import { findings } from '../platform/schema/validate.ts';
import type { PlanCommand } from './arguments.ts';
import { renderPlan } from './render-plan.ts';
import { NotFoundError, type Outcome } from './status-command.ts';

/** A manifest that no platform can be made of. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
  readonly code = 'MANIFEST';
}

const OPERATORS_CHOICE = "the operator's choice";
/** Which images the operator would take is known to the operator alone, and sizes do not depend on it. */
const images: DefaultImages = {
  api: OPERATORS_CHOICE,
  postgres: OPERATORS_CHOICE,
  redis: OPERATORS_CHOICE,
  rabbitmq: OPERATORS_CHOICE,
  haproxy: OPERATORS_CHOICE,
  pgbouncer: OPERATORS_CHOICE,
};

/** Needs no cluster for a file. `connect` is called only for a platform by name. */
export async function plan(
  { source, json }: PlanCommand,
  connect: () => { client: Pick<KubeClient, 'get'>; namespace: string },
): Promise<Outcome> {
  const platforms = 'file' in source ? platformsIn(await read(source.file)) : [await fetch(source.name, connect())];
  const plans = platforms.map(({ metadata, spec }) => {
    const effective = resolve(spec, images);
    return { name: metadata.name, effective, findings: findings(effective) };
  });
  const exitCode = plans.every(({ findings: found }) => found.length === 0) ? 0 : 1;
  if (json) return { text: JSON.stringify({ items: plans }, undefined, 2), exitCode };
  return { text: plans.map((one) => renderPlan(one.name, one.effective, one.findings)).join('\n\n'), exitCode };
}

async function read(file: string): Promise<string> {
  return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
}

async function fetch(
  name: string,
  { client, namespace }: { client: Pick<KubeClient, 'get'>; namespace: string },
): Promise<Platform> {
  const platform = await client.get<Platform>({ resource: resources.platforms, namespace, name });
  if (platform === undefined) throw new NotFoundError(`there is no platform ${name} in namespace ${namespace}`);
  return platform;
}

/**
 * The platforms in a YAML file, checked field by field as far as that goes without an API server.
 *
 * @throws ManifestError that names the fields.
 */
export function platformsIn(yaml: string): readonly Pick<Platform, 'metadata' | 'spec'>[] {
  const documents = parseAllDocuments(yaml);
  for (const { errors } of documents) if (errors[0] !== undefined) throw new ManifestError(errors[0].message);
  const platforms = documents
    .map((document) => document.toJS() as Partial<Platform> | null)
    .filter((object) => object?.kind === KIND);
  if (platforms.length === 0) throw new ManifestError(`the file has no ${KIND}`);
  return platforms.map((platform) => {
    const { metadata, spec } = platform ?? {};
    return { metadata: { ...metadata, name: metadata?.name ?? 'unnamed' }, spec: checked(spec ?? {}) };
  });
}

function checked(spec: unknown): PlatformSpec {
  const result = platformSpecSchema.safeParse(spec);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${['spec', ...path].join('.')}: ${message}`);
  throw new ManifestError(problems.join('\n'));
}
