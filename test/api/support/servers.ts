import { PostgresServer } from './postgres.ts';
import { RabbitServer } from './rabbitmq.ts';
import { RedisServer } from './redis.ts';

/** The servers of this run, each real, each on a port of its own. */
export const postgres = new PostgresServer();
export const redis = new RedisServer();
export const rabbitmq = new RabbitServer(true);
