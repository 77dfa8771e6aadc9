import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Whether an object is collected though what was made from it is still held. */
export async function isCollected<T extends object>(make: () => T, derive: (from: T) => unknown): Promise<boolean> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held: unknown[] = [];
  const reference = (() => {
    const made = make();
    held.push(derive(made));
    return new WeakRef(made);
  })();
  // A reference that was looked at lasts until the turn of the loop is over.
  await new Promise((resolve) => setTimeout(resolve, 0));
  collect();
  return reference.deref() === undefined && held.length === 1;
}
