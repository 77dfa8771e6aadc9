import type { Scope } from '../core/component.ts';
import { whyAside, whyNobodyIsSafe } from './candidates.ts';
import { isFenced } from './death.ts';
import { isOpen } from './failover.ts';
import type { Leadership } from './leadership.ts';
import type { Observed } from './observe.ts';
import { isSynchronous } from './patroni-config.ts';
import { WEDGED, type Wedge, wedgeOf } from './wedge.ts';

/** Why a wedged primary is not ended; undefined when it is. */
export function whySpared(scope: Scope, observed: Observed, { holder }: Wedge): string | undefined {
  return whyAside(scope, observed) ?? whyNobodyIsSafe(observed, holder.name, isSynchronous(scope.effective.postgres));
}

/** Without a primary that is ended for being wedged: whoever has a session there is answered to the end. */
export function withoutWedged(scope: Scope, observed: Observed, leaders: Leadership): Leadership {
  const { primary, rogues } = leaders;
  if (primary === undefined || rogues.length > 0) return leaders;
  const last = scope.platform.status?.lastFailover;
  const fenced = isOpen(last) ? last?.podUID : undefined;
  // Of another pod that has come in its place: that one's failover is over first.
  if (fenced !== undefined && fenced !== primary.pod.metadata.uid) return leaders;
  const isEnding = fenced !== undefined && last?.reason === WEDGED;
  if (isEnding && isFenced(primary)) return { primary: undefined, rogues };
  const wedge = wedgeOf(observed, scope.now);
  if (wedge?.holder !== primary) return leaders;
  // What is written down stays so until somebody is greeted, though the next look may come to nothing.
  const isEnded = isEnding || (wedge.certainInMs === 0 && whySpared(scope, observed, wedge) === undefined);
  return isEnded ? { primary: undefined, rogues } : leaders;
}
