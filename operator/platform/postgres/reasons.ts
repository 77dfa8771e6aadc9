/** What a reason says about the platform besides whether Postgres serves. */
interface Meaning {
  /** Serving with less redundancy than wanted. */
  readonly degraded?: true;
  /** Passes by itself. */
  readonly progressing?: true;
}

/** The reasons of `PostgresReady`. */
export const reasons = {
  // Nobody can write.
  WaitingForDependencies: { progressing: true },
  WaitingForPods: { progressing: true },
  Bootstrapping: { progressing: true },
  NoPrimary: {},
  FailoverRefused: {},
  MembersUnreachable: {},
  MultiplePrimaries: {},
  DatabaseMissing: { progressing: true },
  PrimaryNotPublished: { progressing: true },
  SynchronizationStarting: { progressing: true },
  LoginUnproven: { progressing: true },
  PasswordMismatch: { progressing: true },
  WritesFailing: {},
  // Serving.
  Healthy: {},
  LoginFailing: { degraded: true },
  MembersNotStreaming: { degraded: true, progressing: true },
  NoSynchronousStandby: { degraded: true, progressing: true },
  VolumeUnreachable: { degraded: true },
  DiskFilling: { degraded: true },
  PrimaryOnCordonedNode: { progressing: true },
  PrimaryOnOrdinalToRemove: { progressing: true },
  ScaleInWaits: { progressing: true },
  RollingUpdate: { progressing: true },
  StorageGrowing: { progressing: true },
  StorageChangePending: {},
  RestartPending: { progressing: true },
  ParametersLeftOut: {},
  TlsOffered: { progressing: true },
  PasswordRotation: { progressing: true },
} as const satisfies Record<string, Meaning>;

export type Reason = keyof typeof reasons;

export function meaningOf(reason: string): Meaning {
  return reason in reasons ? reasons[reason as Reason] : {};
}
