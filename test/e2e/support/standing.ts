import { apply, healthy, platform } from './cluster.ts';
import { removePlatform } from './removal.ts';

/**
 * The platform that the tests of a block are about: made, or changed to this from what the block before has left. Call within `describe`.
 *
 * @param spec without it, the specification of the sample
 */
export function useStanding(spec: Readonly<Record<string, unknown>> = {}): void {
  before(async () => {
    await apply(platform(spec));
    await healthy(480_000);
  });
}

/** One of its own, since its specification can't be had by a change of another, or because others are not to find it so. It is taken away again. */
export function useOwn(spec: Readonly<Record<string, unknown>> = {}): void {
  before(removePlatform);
  useStanding(spec);
  after(removePlatform);
}
