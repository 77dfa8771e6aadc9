import { answerMessage } from './answer.ts';
import { echo, fail, sleep } from './builtin.ts';
import type { TaskDefinition } from './definition.ts';
import { closeIdle, prune } from './maintenance.ts';
import { refresh } from './statistics.ts';

export const TASKS: ReadonlyMap<string, TaskDefinition> = new Map(
  [echo, sleep, fail, answerMessage, closeIdle, prune, refresh].map((definition) => [definition.name, definition]),
);
