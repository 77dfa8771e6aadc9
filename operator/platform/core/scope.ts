import type { Clock } from '../../runtime/clock.ts';
import { resolve } from '../schema/effective.ts';
import type { DefaultImages } from '../schema/images.ts';
import type { ChildrenCache } from './children.ts';
import type { Scope } from './component.ts';
import { leftoversOf, without } from './leftovers.ts';
import { annotations } from './names.ts';
import type { Platform } from './platform.ts';
import type { ProbeBoard } from './probe-board.ts';

/** Where facts about platforms come from. */
export interface Sources {
  readonly children: ChildrenCache;
  readonly probes: ProbeBoard;
  readonly images: DefaultImages;
  readonly clock: Clock;
}

/** Everything that is known of one platform at this moment. */
export function scopeOf({ children, probes, images, clock }: Sources, key: string, platform: Platform): Scope {
  const effective = resolve(platform.spec, images);
  const paused = effective.paused || platform.metadata.annotations?.[annotations.reconcile] === 'paused';
  const all = children.of(key);
  const leftovers = leftoversOf(platform, all);
  return {
    platform,
    effective: { ...effective, paused },
    children: without(all, leftovers),
    leftovers,
    probes: probes.results(key),
    now: clock.now(),
  };
}
