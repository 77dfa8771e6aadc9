import { randomUUIDv7 } from 'node:crypto';
import { type RequestHandler, Router } from 'express';
import type { Database } from '../db/database.ts';
import { createConversation, readConversation } from '../domain/conversations.ts';
import { addMessage } from '../domain/messages.ts';
import { AppError } from '../errors.ts';
import { creates } from './idempotent.ts';
import { ConversationQuery, IdParameters, NewConversationSchema, NewMessageSchema } from './schemas.ts';
import { validate } from './validate.ts';

/** What sends the committed messages on to the workers. */
export interface Outbox {
  readonly full: boolean;
  readonly pending: number;
  poke(): void;
}

export function conversationsRouter(db: Database, outbox: Outbox): Router {
  const router = Router();

  router.post(
    '/',
    creates(db, (request) => {
      const conversation = validate(NewConversationSchema, 'body', request.body);
      const id = randomUUIDv7();
      return {
        work: (tx) => createConversation(tx, id, conversation),
        locate: (made) => `/v1/conversations/${made.id}`,
      };
    }),
  );

  router.get('/:id', async (request, response) => {
    const { id } = validate(IdParameters, 'path', request.params);
    const { limit } = validate(ConversationQuery, 'query', request.query);
    response.json(await db.transaction((tx) => readConversation(tx, id, limit)));
  });

  router.post(
    '/:id/messages',
    pokeAfter(outbox),
    creates(db, (request) => {
      const { id: conversationId } = validate(IdParameters, 'path', request.params);
      const { text } = validate(NewMessageSchema, 'body', request.body);
      if (outbox.full) throw backlogFull(outbox.pending);
      const message = { id: randomUUIDv7(), taskId: randomUUIDv7(), conversationId, text };
      return { work: (tx) => addMessage(tx, message), locate: () => `/v1/conversations/${conversationId}` };
    }),
  );

  return router;
}

function backlogFull(pending: number): AppError {
  return new AppError(
    'backlog-full',
    `${pending} messages wait for RabbitMQ, and no more are taken. Try again later.`,
    { retryable: true },
  );
}

/** Has the task published as soon as its transaction has committed. */
function pokeAfter(outbox: Outbox): RequestHandler {
  return (_request, response, next) => {
    response.once('finish', () => outbox.poke());
    next();
  };
}
