const DAY_MS = 24 * 60 * 60_000;

/** How long an authority is valid, and how long before its end it is replaced: longer than any leaf that it signs lives. */
export const AUTHORITY_LIFETIME_MS = 3650 * DAY_MS;
export const AUTHORITY_RENEWAL_MS = 730 * DAY_MS;

/** A leaf lives a year and is replaced a third of it before its end, so that an operator may be away for months. */
export const LEAF_LIFETIME_MS = 365 * DAY_MS;
export const LEAF_RENEWAL_MS = 120 * DAY_MS;

/** Machines whose clocks are behind take a new certificate as well. */
export const BACKDATED_MS = 60 * 60_000;

/**
 * A step of an authority's rotation lasts at least this long, whatever can be seen: a kubelet brings a changed ConfigMap into running pods
 * within about two minutes, and there may be clients that nobody can see.
 */
export const STEP_MS = 10 * 60_000;

/** The longest time until the next look at what expires. */
export const LOOK_AGAIN_MS = DAY_MS;
