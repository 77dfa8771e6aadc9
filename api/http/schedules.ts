import { Router } from 'express';
import type { Database } from '../db/database.ts';
import { deleteSchedule, readSchedules, saveSchedule } from '../domain/schedules.ts';
import { AppError } from '../errors.ts';
import { ScheduleParameters, WantedScheduleSchema } from './schemas.ts';
import { validate } from './validate.ts';

/** What beat sends and when. A PUT is the whole schedule, and to repeat it changes nothing. */
export function schedulesRouter(db: Database): Router {
  const router = Router();

  router.get('/', async (_request, response) => {
    response.json({ schedules: await db.transaction(readSchedules) });
  });

  router.get('/:name', async (request, response) => {
    const { name } = validate(ScheduleParameters, 'path', request.params);
    const schedules = await db.transaction(readSchedules);
    const schedule = schedules.find((one) => one.name === name);
    if (!schedule) throw new AppError('not-found', `There is no schedule ${name}.`);
    response.json(schedule);
  });

  router.put('/:name', async (request, response) => {
    const { name } = validate(ScheduleParameters, 'path', request.params);
    const { cron = null, everySeconds = null, ...rest } = validate(WantedScheduleSchema, 'body', request.body);
    const schedule = { name, cron, everySeconds, ...rest };
    response.json(await db.transaction((tx) => saveSchedule(tx, schedule, new Date())));
  });

  router.delete('/:name', async (request, response) => {
    const { name } = validate(ScheduleParameters, 'path', request.params);
    await db.transaction((tx) => deleteSchedule(tx, name));
    response.status(204).end();
  });

  return router;
}
