import { resources, type Secret } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import type { Action, ActionContext, Scope } from '../core/component.ts';
import { commonLabels, namespaceOf } from '../core/names.ts';
import { encodeSecret } from '../core/secrets.ts';
import { type KeyPair, readAuthority } from './authority.ts';
import { bundleOf } from './bundle.ts';
import { stepped } from './decide.ts';
import { issueAuthority, issueLeaf } from './issue.ts';
import type { LeafProblem, WantedLeaf } from './leaf.ts';
import { authorityKeys, authoritySecretName, leafKeys } from './names.ts';

/** Makes the platform's first authority. */
export interface MakeAuthority extends Action {
  readonly type: 'certificates.make-authority';
}

/** Makes the next authority, beside the current one. */
export interface BeginRotation extends Action {
  readonly type: 'certificates.begin-rotation';
  readonly request: string | undefined;
}

/** Issues a leaf, the first or a new one. */
export interface IssueLeaf extends Action {
  readonly type: 'certificates.issue';
  readonly leaf: WantedLeaf;
  readonly because: LeafProblem;
}

export type CertificateAction = MakeAuthority | BeginRotation | IssueLeaf;

/** Carries out one action: what was seen when it was decided must still be so, or the API server refuses it. */
export async function act(action: Action, context: ActionContext): Promise<void> {
  const { scope, objects } = context;
  const { platform, now } = scope;
  const name = authoritySecretName(platform);
  const known = action as CertificateAction;
  switch (known.type) {
    case 'certificates.make-authority': {
      const made = await issueAuthority(authorityName(scope), now);
      const data = { [authorityKeys.certificate]: made.certificate.pem, [authorityKeys.key]: made.key };
      return await objects.create(secretObject(scope, name, 'Opaque', encodeSecret(data)));
    }
    case 'certificates.begin-rotation': {
      const secret = need(secretOf(scope, name), name);
      const next = await issueAuthority(authorityName(scope), now);
      const added = { [authorityKeys.nextCertificate]: next.certificate.pem, [authorityKeys.nextKey]: next.key };
      const data = { ...secret.data, ...encodeSecret(added) };
      return await replace(context, secret, data, stepped(secret, now, known.request));
    }
    case 'certificates.issue':
      return await issue(context, known.leaf);
    default:
      throw new TypeError(`certificates do not know the action ${action.type}`);
  }
}

async function issue(context: ActionContext, leaf: WantedLeaf): Promise<void> {
  const { scope, objects } = context;
  const name = authoritySecretName(scope.platform);
  const authority = need(readAuthority(need(secretOf(scope, name), name)), name);
  const signer: KeyPair = { certificate: authority.current, key: need(authority.key, name) };
  const issued = await issueLeaf(signer, leaf.dnsNames, scope.now);
  const data = encodeSecret({
    [leafKeys.certificate]: issued.certificate.pem,
    [leafKeys.key]: issued.key,
    [leafKeys.authorities]: bundleOf(authority),
  });
  const live = secretOf(scope, leaf.secret);
  if (live === undefined) {
    const made = secretObject(scope, leaf.secret, 'kubernetes.io/tls', data);
    const labels = commonLabels(scope.platform, leaf.component);
    return await objects.create({ ...made, metadata: { ...made.metadata, labels } });
  }
  await replace(context, live, { ...live.data, ...data }, live.metadata.annotations ?? {});
}

async function replace(
  { scope, objects }: ActionContext,
  { metadata }: Secret,
  data: Record<string, string>,
  annotations: Record<string, string>,
): Promise<void> {
  await objects.patch({
    ref: { resource: resources.secrets, namespace: namespaceOf(scope.platform), name: metadata.name },
    guard: { resourceVersion: metadata.resourceVersion ?? '' },
    operations: [
      { op: 'add', path: '/data', value: data },
      { op: 'add', path: '/metadata/annotations', value: annotations },
    ],
  });
}

function secretObject({ platform }: Scope, name: string, type: string, data: Record<string, string>): KubeObject {
  const labels = commonLabels(platform, 'certificates');
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, labels }, type, data } as Secret;
}

function authorityName({ platform }: Scope): string {
  return `${platform.metadata.name}.${namespaceOf(platform)}`;
}

function secretOf({ children, platform }: Scope, name: string): Secret | undefined {
  return children.get<Secret>({ resource: resources.secrets, namespace: namespaceOf(platform), name });
}

function need<T>(value: T | undefined, secret: string): T {
  if (value === undefined) throw new Error(`Secret ${secret} is gone or lacks its key`);
  return value;
}
