import { benchOnCluster } from './bench-on-cluster.ts';

/** Measures Redis under faults, on a cluster with the newest operator. */
await benchOnCluster('test/bench/redis.ts');
