import { benchOnCluster } from './bench-on-cluster.ts';

/** Measures RabbitMQ and the workers under faults, on a cluster with the newest operator. */
await benchOnCluster('test/bench/broker.ts');
