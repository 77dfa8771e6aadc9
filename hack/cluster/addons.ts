import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Puts values in the place of `@NAME@`; throws when a place has no value, or a value no place. */
export function render(manifests: string, values: Readonly<Record<string, string>>): string {
  const used = new Set<string>();
  const text = manifests.replaceAll(/@([A-Z_]+)@/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for @${name}@`);
    used.add(name);
    return value;
  });
  const unused = Object.keys(values).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`values without a place: ${unused.join(', ')}`);
  return text;
}

/** One of the manifests in addons/, filled in. */
export async function renderManifest(name: string, values: Readonly<Record<string, string>>): Promise<string> {
  return render(await readFile(join(import.meta.dirname, 'addons', `${name}.yaml`), 'utf8'), values);
}

/** metrics-server; `kubeletTls` is the argument that says how it checks the kubelets' certificates. */
export function renderMetricsServer(options: { image: string; kubeletTls: string }): Promise<string> {
  return renderManifest('metrics', { METRICS_SERVER_IMAGE: options.image, KUBELET_TLS: options.kubeletTls });
}
