import type { KubeObject } from '../../kube/types.ts';

/** On a Secret with a login or a password. */
export const loginAnnotations = {
  /** The request that it was made for. */
  rotatedFor: 'isp.support/rotated-for',
  /** On the one in force: the request after which the one before it was revoked. */
  retiredFor: 'isp.support/retired-for',
} as const;

/** On the Secret of servers that read it when they start, while a password is rotated: how far that is, and since when. */
const STEP = 'isp.support/password-step';
const SINCE = 'isp.support/password-step-since';

const STEPS = ['Accepting', 'InForce', 'Revoking'] as const;

/**
 * `Accepting`: servers that start take the next password as well. `InForce`: the next password is the one that clients are given, and
 * servers that start still take the last. `Revoking`: servers that start no longer do.
 */
export type RotationStep = (typeof STEPS)[number];

/** What such a Secret says of its rotation. */
export interface RotationNotes {
  readonly rotatedFor: string | undefined;
  readonly retiredFor: string | undefined;
  /** Absent while nothing is rotated. */
  readonly step: RotationStep | undefined;
  readonly since: Date | undefined;
}

/** A kubelet brings a Secret into the pods that mount it within its sync period of a minute and the time that it caches, which is less. */
export const MOUNT_MS = 120_000;

export function rotationNotes({ metadata: { annotations = {} } }: KubeObject): RotationNotes {
  const since = annotations[SINCE];
  return {
    rotatedFor: annotations[loginAnnotations.rotatedFor],
    retiredFor: annotations[loginAnnotations.retiredFor],
    step: STEPS.find((step) => step === annotations[STEP]),
    since: since === undefined ? undefined : new Date(since),
  };
}

/** The same as annotations. */
export function annotationsOfRotation({ rotatedFor, retiredFor, step, since }: RotationNotes): Record<string, string> {
  const entries = [
    [loginAnnotations.rotatedFor, rotatedFor],
    [loginAnnotations.retiredFor, retiredFor],
    [STEP, step],
    [SINCE, step === undefined ? undefined : since?.toISOString()],
  ] as const;
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** When a step will have lasted so long. */
export function stepLasted({ since }: Pick<RotationNotes, 'since'>, ms: number): Date {
  return new Date((since?.getTime() ?? 0) + ms);
}
