import { resources, type Secret } from '../../kube/resources.ts';
import type { ComponentName, Scope } from './component.ts';
import { namespaceOf } from './names.ts';

/** One value of one of the platform's Secrets; undefined when the Secret or the key is not there. */
export function secretValue({ children, platform }: Scope, secret: string, key: string): string | undefined {
  const ref = { resource: resources.secrets, namespace: namespaceOf(platform), name: secret };
  const encoded = children.get<Secret>(ref)?.data?.[key];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

/** Values as a Secret's `data` has them. */
export function encodeSecret(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
}

/** A Secret with fresh values as plain strings, not yet made. */
export interface GeneratedSecret {
  readonly name: string;
  /** Whose data the values unlock. */
  readonly component: ComponentName;
  readonly values: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Fresh values are as good as the last ones at any time. */
  readonly renewable?: true;
}
