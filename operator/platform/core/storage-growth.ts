import { type PersistentVolumeClaim, resources, type StatefulSet, type StorageClass } from '../../kube/resources.ts';
import { compareQuantities } from '../schema/quantity.ts';
import type { Children, ComponentName, GuardedPatch, Removal } from './component.ts';
import type { Storage } from './effective.ts';

export type ClaimTemplate = NonNullable<NonNullable<StatefulSet['spec']>['volumeClaimTemplates']>[number];

export interface GrowthInput {
  readonly namespace: string;
  /** The StatefulSet as it is; undefined while there is none. */
  readonly set: StatefulSet | undefined;
  /** The claims of its pods that are there to stay. */
  readonly claims: readonly PersistentVolumeClaim[];
  readonly wanted: Storage;
  readonly classOf: (name: string) => StorageClass | undefined;
  /** Whether the StatefulSet may be made anew now: nothing else is under way that needs it. */
  readonly isCalm: boolean;
}

/** How volumes come to the size that is wanted. */
export interface Growth {
  /** What the StatefulSet's template of claims is to be; undefined for that of what is wanted. */
  readonly claim: ClaimTemplate | undefined;
  readonly patches: readonly GuardedPatch[];
  /** The StatefulSet is deleted without its pods, to be made anew with the new template, and not to be applied until it is gone. */
  readonly replace: readonly Removal[];
  /** What is under way, and what cannot be done. */
  readonly growing?: string;
  readonly refused?: string;
}

/**
 * Pure: first the claims are made larger, which never needs a restart of the operator's, then the StatefulSet is deleted with its pods left
 * as they are (`Orphan`) and made anew at the next reconcile, which takes the pods over: Kubernetes lets nobody change the template of its claims, by which later
 * members are made. Each step shows in the objects themselves, so whoever carries on needs to know nothing else. Nothing ever shrinks.
 */
export function storageGrowth({ namespace, set, claims, wanted, classOf, isCalm }: GrowthInput): Growth {
  const template = liveClaim(set);
  const live = template === undefined ? undefined : storageOf(template);
  const claim = template;
  const rest = { claim, patches: [], replace: [] };
  const unlike = live === undefined ? undefined : whyUnlike(live, wanted);
  if (unlike !== undefined) return { ...rest, refused: unlike };
  const small = claims.filter((one) => isLess(requestOf(one), wanted.size));
  const fixed = small.flatMap((one) => whyFixed(one, classOf));
  if (fixed.length > 0) {
    const message = `${[...new Set(fixed)].join(', ')}: volumes stay at ${live?.size ?? 'the size that they have'} instead of ${wanted.size}; allow expansion in the class, or set storage.size back`;
    return { ...rest, refused: message };
  }
  const patches = small.filter((one) => one.status?.phase === 'Bound').map((one) => grown(namespace, one, wanted.size));
  const isTemplateSmall = isLess(live?.size, wanted.size);
  const isReplaced = isTemplateSmall && small.length === 0 && isCalm && set?.metadata.deletionTimestamp === undefined;
  const growing = whatGrows(claims, small, wanted.size, isTemplateSmall);
  return {
    claim,
    patches,
    replace: isReplaced && set !== undefined ? [withoutPods(namespace, set)] : [],
    ...(growing === undefined ? {} : { growing }),
  };
}

/** The claims `data-<set>-<ordinal>` of a StatefulSet's first pods. */
export function claimsOf(
  children: Children,
  component: ComponentName,
  set: string,
  replicas: number,
): PersistentVolumeClaim[] {
  const names = new Set(Array.from({ length: replicas }, (_, ordinal) => `data-${set}-${ordinal}`));
  return children
    .list<PersistentVolumeClaim>(resources.persistentVolumeClaims, component)
    .filter(({ metadata }) => names.has(metadata.name))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

export function storageClassOf(children: Children, name: string): StorageClass | undefined {
  return children.get<StorageClass>({ resource: resources.storageClasses, name });
}

/** The live claim template without what the server adds to it; undefined before there is one. */
export function liveClaim(live: StatefulSet | undefined): ClaimTemplate | undefined {
  const template = live?.spec?.volumeClaimTemplates?.[0];
  if (template === undefined) return undefined;
  const { name, labels } = template.metadata ?? {};
  const { accessModes, resources: needs, storageClassName } = template.spec ?? {};
  return {
    metadata: { ...(name === undefined ? {} : { name }), ...(labels === undefined ? {} : { labels }) },
    spec: {
      ...(accessModes === undefined ? {} : { accessModes }),
      ...(needs === undefined ? {} : { resources: needs }),
      ...(storageClassName === undefined ? {} : { storageClassName }),
    },
  };
}

/** Size and class of a claim template. */
function storageOf(claim: ClaimTemplate): Partial<Storage> {
  const size = claim.spec?.resources?.requests?.['storage'];
  const storageClassName = claim.spec?.storageClassName;
  return {
    ...(size === undefined ? {} : { size }),
    ...(storageClassName === undefined ? {} : { storageClassName }),
  };
}

function whyUnlike(live: Partial<Storage>, wanted: Storage): string | undefined {
  // Without a class of its own the cluster's default was filled in.
  const { storageClassName = live.storageClassName } = wanted;
  if (storageClassName !== live.storageClassName)
    return `the volumes are of class ${live.storageClassName ?? 'default'} and stay so; ${storageClassName} is wanted: set storage.storageClassName back, or make a new platform`;
  if (!isLess(wanted.size, live.size)) return undefined;
  return `the volumes have ${live.size} and stay so; ${wanted.size} is wanted: a volume only grows, so set storage.size to ${live.size} or more`;
}

/** Why a claim cannot grow, in words that are the same for all of its kind. */
function whyFixed({ spec }: PersistentVolumeClaim, classOf: GrowthInput['classOf']): string[] {
  const name = spec?.storageClassName;
  if (name === undefined || name === '')
    return ['the volumes have no StorageClass, which only somebody who knows them can make larger'];
  const found = classOf(name);
  if (found === undefined) return [`StorageClass ${name} is not there any more`];
  return found.allowVolumeExpansion === true ? [] : [`StorageClass ${name} does not allow expansion`];
}

function grown(namespace: string, { metadata }: PersistentVolumeClaim, size: string): GuardedPatch {
  return {
    ref: { resource: resources.persistentVolumeClaims, namespace, name: metadata.name },
    guard: { uid: metadata.uid ?? '' },
    operations: [{ op: 'replace', path: '/spec/resources/requests/storage', value: size }],
  };
}

function withoutPods(namespace: string, { metadata }: StatefulSet): Removal {
  return {
    ref: { resource: resources.statefulSets, namespace, name: metadata.name },
    ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
    orphan: true,
  };
}

/** What a person has to know while volumes grow. */
function whatGrows(
  claims: readonly PersistentVolumeClaim[],
  small: readonly PersistentVolumeClaim[],
  size: string,
  isTemplateSmall: boolean,
): string | undefined {
  const waits = claims.flatMap((claim) => {
    const { name } = claim.metadata;
    if (small.includes(claim))
      return claim.status?.phase === 'Bound' ? `${name} is asked for` : `${name} is not bound to a volume yet`;
    const why = isLess(claim.status?.capacity?.['storage'], size) ? whyNotYet(claim) : undefined;
    return why === undefined ? [] : `${name} ${why}`;
  });
  if (waits.length === 0 && !isTemplateSmall) return undefined;
  return `volumes grow to ${size}: ${waits.length === 0 ? 'the StatefulSet is made anew for later members, without its pods' : waits.join(', ')}`;
}

function whyNotYet({ status }: PersistentVolumeClaim): string {
  const state = status?.allocatedResourceStatuses?.['storage'] ?? '';
  if (state.endsWith('Infeasible'))
    return `cannot be made so large (${state}): see kubectl describe pvc, and set storage.size back`;
  const types = status?.conditions?.filter((one) => one.status === 'True').map(({ type }) => type) ?? [];
  const failed = types.find((type) => type.endsWith('ResizeError'));
  if (failed !== undefined) return `could not be made larger (${failed}): see kubectl describe pvc`;
  if (types.includes('FileSystemResizePending'))
    return 'is larger, and its file system grows when the kubelet gets to it; should it stay so, its pod has to be deleted';
  return 'is being made larger';
}

function requestOf({ spec }: PersistentVolumeClaim): string | undefined {
  return spec?.resources?.requests?.['storage'];
}

/** What is not known is as large as can be. */
function isLess(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && compareQuantities(a, b) < 0;
}
