/** The queue, which one pool of workers consumes. */
export const QUEUE = 'bench';

export const COUNT_TASK = 'bench.count';

/** Where it is written down which tasks run, and what came of them. */
export const TABLES = { runs: 'bench_runs', effects: 'bench_effects' } as const;
