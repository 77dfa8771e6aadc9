import { benchOnCluster } from './bench-on-cluster.ts';

/** Measures how Postgres fails over, on a cluster with the newest operator. */
await benchOnCluster('test/bench/failover.ts');
