import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parse } from 'yaml';
import type { KubeClient } from '../../../operator/kube/client.ts';
import type { KubeError } from '../../../operator/kube/errors.ts';
import { resources } from '../../../operator/kube/resources.ts';
import type { KubeObject, ObjectRef } from '../../../operator/kube/types.ts';
import { API_VERSION, KIND } from '../../../operator/platform/core/names.ts';

const CRD_FILE = join(import.meta.dirname, '../../../crds/isp.support_ispsupportplatforms.yaml');
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

export interface Definition extends KubeObject {
  status?: { conditions?: { type: string; status: string; message: string }[] };
}

/** Puts the resource definition there and waits until its resources are served. */
export async function establishDefinition(client: KubeClient, signal: AbortSignal): Promise<Definition> {
  const definition = parse(await readFile(CRD_FILE, 'utf8')) as Definition;
  await createUnlessThere(client, definition, signal);
  const path = `${CRDS}/${definition.metadata.name}`;
  for (;;) {
    const found = JSON.parse(await client.raw('GET', path, undefined, signal)) as Definition;
    if (isTrue(found, 'Established')) return found;
    await setTimeout(50, undefined, { signal });
  }
}

/** Other test files of the process put the same definition on the same server. */
async function createUnlessThere(client: KubeClient, definition: Definition, signal: AbortSignal): Promise<void> {
  try {
    await client.raw('POST', CRDS, definition, signal);
  } catch (error) {
    if ((error as KubeError).reason !== 'AlreadyExists') throw error;
  }
}

export function isTrue(definition: Definition, type: string): boolean {
  return definition.status?.conditions?.some((c) => c.type === type && c.status === 'True') ?? false;
}

/** A platform whose spec is whatever the test says, valid or not. */
export function platform(namespace: string, name: string, spec: unknown = {}): KubeObject & { spec: unknown } {
  return { apiVersion: API_VERSION, kind: KIND, metadata: { namespace, name }, spec };
}

export function platformRef(namespace: string, name: string): ObjectRef {
  return { resource: resources.platforms, namespace, name };
}

/** The text with which the API server refuses; an error when it accepts. */
export async function refusal(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    const { status, message } = error as KubeError;
    if (status === 422) return message;
    throw error;
  }
  throw new Error('the API server accepted what it should refuse');
}
