import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { idempotent } from '../../../api/domain/idempotency.ts';
import type { TaskDefinition } from '../../../api/tasks/definition.ts';
import { COUNT_TASK, TABLES } from './names.ts';

/**
 * `bench.count(id, seconds)`: writes down that it runs, takes so many seconds, and then has its effect, which is one row. Nothing keeps a
 * second row of an id away but the key that the effect is had under.
 */
export const count: TaskDefinition = {
  name: COUNT_TASK,
  // As the platform's own: a quarter of an hour of a database that is away.
  retry: { maxRetries: 20, baseMs: 500, maxMs: 60_000 },
  async run([id, seconds], _kwargs, { db, signal }) {
    if (typeof id !== 'string') throw new TypeError(`${COUNT_TASK} takes the id of its task`);
    const run = randomUUID();
    // The run's own id: a transaction that is in doubt is run again.
    const started = `INSERT INTO ${TABLES.runs} (run, id, worker) VALUES ($1, $2, $3) ON CONFLICT (run) DO NOTHING`;
    await db.transaction((tx) => tx.query(started, [run, id, hostname()]));
    await pause(Number(seconds) * 1000, undefined, { signal });
    await db.transaction((tx) =>
      idempotent(tx, { scope: COUNT_TASK, key: id, body: id }, async () => {
        await tx.query(`INSERT INTO ${TABLES.effects} (id) VALUES ($1)`, [id]);
        return { status: 200, body: run };
      }),
    );
    return run;
  },
};
