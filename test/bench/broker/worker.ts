import type { TaskDefinition } from '../../../api/tasks/definition.ts';
import { TASKS } from '../../../api/tasks/registry.ts';
import { count } from './task.ts';

/** The platform's worker, its process and its threads, with one task more. */
(TASKS as Map<string, TaskDefinition>).set(count.name, count);
await import('../../../api/worker.ts');
