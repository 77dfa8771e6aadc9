import type { Pod } from '../../kube/resources.ts';
import type { Clock } from '../../runtime/clock.ts';

const KEPT_MS = 5 * 60_000;

/**
 * The last state of pods that are gone: what their kubelets said of their containers before the object went. A cache forgets a pod
 * with its deletion, and a reconcile may come only after it.
 */
export class Departed {
  readonly #clock: Clock;
  readonly #pods = new Map<string, { readonly pod: Pod; readonly at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  remember(pod: Pod): void {
    const now = this.#clock.monotonicMs();
    // In the order in which they went, so the oldest come first.
    for (const [key, { at }] of this.#pods) {
      if (now - at <= KEPT_MS) break;
      this.#pods.delete(key);
    }
    const key = keyOf(pod.metadata.namespace ?? '', pod.metadata.name);
    this.#pods.delete(key);
    this.#pods.set(key, { pod, at: now });
  }

  get(namespace: string, name: string): Pod | undefined {
    const found = this.#pods.get(keyOf(namespace, name));
    return found === undefined || this.#clock.monotonicMs() - found.at > KEPT_MS ? undefined : found.pod;
  }
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
