import { type ConfigMap, resources, type Secret } from '../../kube/resources.ts';
import type { ComponentPlan, ConditionPlan, EventPlan, GuardedPatch, Scope } from '../core/component.ts';
import { annotations, commonLabels, namespaceOf } from '../core/names.ts';
import { encodeSecret } from '../core/secrets.ts';
import type { CertificateAction } from './actions.ts';
import { type Authority, newest, readAuthority } from './authority.ts';
import { bundleFile, bundleOf } from './bundle.ts';
import { type Certificate, readBundle } from './certificate.ts';
import { type LeafProblem, leafProblem, readLeaf, renewalOf, type WantedLeaf } from './leaf.ts';
import { LOOK_AGAIN_MS } from './lifetimes.ts';
import {
  authorityKeys,
  authoritySecretName,
  BUNDLE_KEY,
  bundleName,
  certificateAnnotations,
  leafKeys,
} from './names.ts';
import { type RotationStep, renewalOfAuthority, rotationStep } from './rotation.ts';
import { certificateStatus } from './status.ts';
import type { CertificateUse } from './use.ts';

/** Pure: what is issued, rotated and published now, for these uses of the platform's authority; none: nothing is made, and nothing taken away. */
export function decide(scope: Scope, uses: readonly CertificateUse[]): ComponentPlan {
  if (uses.length === 0)
    return { objects: [], condition: { status: 'True', reason: 'NotWanted', message: 'nothing is served with TLS' } };
  const leaves = uses.flatMap((use) => use.leaves);
  const secret = secretOf(scope, authoritySecretName(scope.platform));
  if (secret === undefined) return withoutAuthority(scope, leaves);
  const authority = readAuthority(secret);
  if (authority === undefined) return unreadable(scope, secret, leaves);
  const problems = leaves.map((leaf) => ({
    leaf,
    problem: leafProblem(secretOf(scope, leaf.secret), leaf, authority, scope.now),
  }));
  const step = rotationStep(authority, {
    now: scope.now,
    request: scope.platform.metadata.annotations?.[annotations.rotateAuthority],
    distrusting: uses.flatMap((use) => use.distrusting(newest(authority).id)),
    unserved: unserved(scope, uses, problems),
  });
  return {
    objects: [bundle(scope, authority, uses)],
    actions: actions(authority, problems, step),
    patches: patches(scope, secret, step),
    condition: condition(scope, authority, problems, step),
    satisfied: isUsable(scope, leaves),
    status: certificateStatus(scope, authority, leaves, step),
    events: events(step),
    requeueAfterMs: nextLook(scope, authority, leaves, step),
  };
}

interface Checked {
  readonly leaf: WantedLeaf;
  readonly problem: LeafProblem | undefined;
}

/** A lost Secret under certificates in use: who signed them stays trusted, and a rotation brings an authority whose key is known. */
function withoutAuthority(scope: Scope, leaves: readonly WantedLeaf[]): ComponentPlan {
  const [lost, ...others] = lostAuthorities(scope, leaves);
  const condition: ConditionPlan = {
    status: 'False',
    reason: 'Issuing',
    message: 'the authority of the platform is being made',
    progressing: true,
  };
  const make: CertificateAction = { type: 'certificates.make-authority' };
  if (lost === undefined) return { objects: [], actions: [make], condition, satisfied: false };
  const name = authoritySecretName(scope.platform);
  const labels = commonLabels(scope.platform, 'certificates');
  const restored: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, labels, annotations: { [certificateAnnotations.stepSince]: scope.now.toISOString() } },
    type: 'Opaque',
    data: encodeSecret({
      [authorityKeys.certificate]: lost.pem,
      ...(others[0] === undefined ? {} : { [authorityKeys.previousCertificate]: others[0].pem }),
    }),
  };
  return { objects: [], creates: [restored], condition, satisfied: isUsable(scope, leaves) };
}

/** Who is trusted by way of leaves that are in use, whoever signed the newest of them first. */
function lostAuthorities(scope: Scope, leaves: readonly WantedLeaf[]): readonly Certificate[] {
  const signed = leaves.flatMap(({ secret }) => {
    const live = secretOf(scope, secret);
    const leaf = readLeaf(live);
    const bundle = Buffer.from(live?.data?.[leafKeys.authorities] ?? '', 'base64').toString('utf8');
    return leaf === undefined ? [] : { since: leaf.notBefore.getTime(), authorities: readBundle(bundle) };
  });
  const newestFirst = signed.toSorted((a, b) => b.since - a.since).flatMap(({ authorities }) => authorities);
  return [...new Map(newestFirst.map((authority) => [authority.id, authority])).values()];
}

/** What serves goes on as it is; nothing can be renewed. */
function unreadable(scope: Scope, { metadata }: Secret, leaves: readonly WantedLeaf[]): ComponentPlan {
  const message = `Secret ${metadata.name} has no certificate in ${authorityKeys.certificate}; put it back from a backup, or delete it to have a new authority made`;
  const satisfied = isUsable(scope, leaves);
  const status = satisfied ? 'True' : 'False';
  return { objects: [], condition: { status, reason: 'Unreadable', message, degraded: true }, satisfied };
}

function bundle({ platform }: Scope, authority: Authority, uses: readonly CertificateUse[]): ConfigMap {
  const trustedNow = bundleOf(authority);
  const isNamed = uses.some(({ namesBundle }) => namesBundle === true);
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: bundleName(platform),
      labels: commonLabels(platform, 'certificates'),
      annotations: { [certificateAnnotations.newestAuthority]: newest(authority).id },
    },
    data: { [BUNDLE_KEY]: trustedNow, ...(isNamed ? { [bundleFile(trustedNow)]: trustedNow } : {}) },
  };
}

/** What is not served yet of what the current authority is to sign. */
function unserved(scope: Scope, uses: readonly CertificateUse[], problems: readonly Checked[]): string[] {
  const pending = problems.flatMap(({ leaf, problem }) => (problem === undefined ? [] : `Secret ${leaf.secret}`));
  const lagging = uses.flatMap((use) =>
    use.leaves.flatMap((leaf) => {
      const live = readLeaf(secretOf(scope, leaf.secret));
      return live === undefined ? [] : use.unserved(live.id);
    }),
  );
  return [...pending, ...lagging];
}

function actions(authority: Authority, problems: readonly Checked[], step: RotationStep): CertificateAction[] {
  if (step.type === 'begin') return [{ type: 'certificates.begin-rotation', request: step.request }];
  // The key is about to change, or is lost: nothing is signed with the one that goes.
  if (step.type === 'sign' || authority.key === undefined) return [];
  return problems.flatMap(({ leaf, problem }): CertificateAction[] =>
    problem === undefined ? [] : [{ type: 'certificates.issue', leaf, because: problem }],
  );
}

function patches(scope: Scope, secret: Secret, step: RotationStep): GuardedPatch[] {
  const { resourceVersion } = secret.metadata;
  if ((step.type !== 'sign' && step.type !== 'retire') || resourceVersion === undefined) return [];
  const { data = {} } = secret;
  const kept = (key: string) => ({ [key]: data[key] ?? '' });
  const signing = { ...kept(authorityKeys.certificate), ...kept(authorityKeys.key) };
  const value =
    step.type === 'retire'
      ? signing
      : {
          [authorityKeys.certificate]: data[authorityKeys.nextCertificate],
          [authorityKeys.key]: data[authorityKeys.nextKey],
          [authorityKeys.previousCertificate]: data[authorityKeys.certificate],
        };
  return [
    {
      ref: { resource: resources.secrets, namespace: namespaceOf(scope.platform), name: secret.metadata.name },
      guard: { resourceVersion },
      operations: [
        { op: 'replace', path: '/data', value },
        { op: 'add', path: '/metadata/annotations', value: stepped(secret, scope.now) },
      ],
    },
  ];
}

/** The Secret's annotations at the beginning of a step. */
export function stepped(secret: Secret, now: Date, request?: string): Record<string, string> {
  return {
    ...secret.metadata.annotations,
    [certificateAnnotations.stepSince]: now.toISOString(),
    ...(request === undefined ? {} : { [certificateAnnotations.rotatedFor]: request }),
  };
}

function condition(
  scope: Scope,
  authority: Authority,
  problems: readonly Checked[],
  step: RotationStep,
): ConditionPlan {
  const missing = problems.flatMap(({ leaf, problem }) => (problem === 'Missing' ? leaf.secret : []));
  if (
    !isUsable(
      scope,
      problems.map(({ leaf }) => leaf),
    )
  )
    return {
      status: 'False',
      reason: 'Issuing',
      message: `certificates are being made: ${[...missing, bundleName(scope.platform)].join(', ')}`,
      progressing: true,
    };
  if (step.type === 'wait')
    return { status: 'True', reason: 'Rotating', message: `the authority is being replaced: waits for ${step.for}` };
  if (step.type !== 'none' || problems.some(({ problem }) => problem !== undefined))
    return { status: 'True', reason: 'Rotating', message: 'certificates are being replaced', progressing: true };
  return { status: 'True', reason: 'Valid', message: `every certificate is of authority ${authority.current.id}` };
}

/** Whether there is something to serve with and something to trust. */
function isUsable(scope: Scope, leaves: readonly WantedLeaf[]): boolean {
  const ref = {
    resource: resources.configMaps,
    namespace: namespaceOf(scope.platform),
    name: bundleName(scope.platform),
  };
  return (
    scope.children.get(ref) !== undefined &&
    leaves.every(({ secret }) => readLeaf(secretOf(scope, secret)) !== undefined)
  );
}

function events(step: RotationStep): EventPlan[] {
  const note = {
    begin: 'a new authority is made; it is trusted beside the one that signs',
    sign: 'the new authority signs; the last one stays trusted until nothing of it is in use',
    retire: 'the last authority is no longer trusted',
  };
  if (step.type === 'none' || step.type === 'wait') return [];
  return [{ type: 'Normal', reason: 'AuthorityRotation', action: 'RotateAuthority', note: note[step.type] }];
}

/** When something expires or a step's time is over, in milliseconds. */
function nextLook(scope: Scope, authority: Authority, leaves: readonly WantedLeaf[], step: RotationStep): number {
  const renewals = leaves.flatMap(({ secret }) => {
    const leaf = readLeaf(secretOf(scope, secret));
    return leaf === undefined ? [] : renewalOf(leaf);
  });
  const until = step.type === 'wait' && step.until !== undefined ? [step.until.getTime()] : [];
  const due = Math.min(...renewals, ...until, renewalOfAuthority(authority)) - scope.now.getTime();
  return Math.min(Math.max(due, 1_000), LOOK_AGAIN_MS);
}

function secretOf({ children, platform }: Scope, name: string): Secret | undefined {
  return children.get<Secret>({ resource: resources.secrets, namespace: namespaceOf(platform), name });
}
