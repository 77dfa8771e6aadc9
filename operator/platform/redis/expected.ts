import type { RedisPod } from './observe.ts';
import type { ShardIntent } from './statefulset.ts';

/** A pod that there is to be, and the one that there is. */
export interface ExpectedPod {
  readonly name: string;
  readonly shard: number;
  readonly pod?: RedisPod;
}

export function expectedPods(
  shards: readonly ShardIntent[],
  pods: readonly RedisPod[],
  nameOf: (shard: number, ordinal: number) => string,
): ExpectedPod[] {
  const byName = new Map(pods.map((pod) => [pod.name, pod]));
  return shards.flatMap(({ shard, pods: count }) =>
    Array.from({ length: count }, (_, ordinal) => {
      const name = nameOf(shard, ordinal);
      const pod = byName.get(name);
      return { name, shard, ...(pod === undefined ? {} : { pod }) };
    }),
  );
}

/** Whether every pod that there is to be has answered and there is no other: only then is anything known not to exist. */
export function isComplete(expected: readonly ExpectedPod[], pods: readonly RedisPod[]): boolean {
  return (
    pods.length === expected.length &&
    expected.every(({ pod }) => pod?.answer?.kind === 'view' && pod.deleting === false)
  );
}

/** Why an expected pod does not take part, in words for a person; undefined when it answers. */
export function whyAbsent({ name, pod }: ExpectedPod): string | undefined {
  if (pod === undefined) return `pod ${name} does not exist yet`;
  if (pod.answer?.kind === 'view') return undefined;
  if (pod.notReady !== undefined && pod.answer?.problem !== 'loading') return pod.notReady;
  return pod.answer === undefined ? `pod ${name} has not been asked yet` : `pod ${name} ${pod.answer.message}`;
}
