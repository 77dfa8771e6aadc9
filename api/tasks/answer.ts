import { saveAnswer } from '../domain/answers.ts';
import { ANSWER_TASK } from '../domain/messages.ts';
import type { TaskDefinition } from './definition.ts';

/** `isp.answer_message(message_id)`: answers a customer's message, once. */
export const answerMessage: TaskDefinition = {
  name: ANSWER_TASK,
  // About a quarter of an hour of a database or a model that is away.
  retry: { maxRetries: 20, baseMs: 500, maxMs: 60_000, always: true },
  async run([messageId], _kwargs, { db, answerer, signal }) {
    if (typeof messageId !== 'string') throw new TypeError('isp.answer_message takes the id of a message');
    const answered = await saveAnswer(db, messageId, answerer, signal);
    return { messageId, answered };
  },
};
