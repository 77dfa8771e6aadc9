import { benchOnCluster } from './bench-on-cluster.ts';

/** Measures a burst of tasks, on a cluster with the newest operator. */
await benchOnCluster('test/bench/burst.ts');
