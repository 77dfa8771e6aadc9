import { z } from 'zod';
import { QUEUES } from '../tasks/topology.ts';

const id = z.uuid().meta({ example: '0198c1f2-6a70-7000-8000-5f1c0e9a1b2c' });
const time = z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' });
const name = z.string().trim().min(1).max(200);

export const NewCustomerSchema = z
  .strictObject({
    name,
    email: z.email().max(254).optional(),
    phone: z.string().trim().min(4).max(32).optional(),
    plan: z.string().trim().min(1).max(100).optional(),
  })
  .meta({ id: 'NewCustomer' });

export const CustomerSchema = z
  .object({
    id,
    name: z.string(),
    email: z.string().nullable(),
    phone: z.string().nullable(),
    plan: z.string().nullable(),
    createdAt: time,
  })
  .meta({ id: 'Customer' });

export const NewConversationSchema = z
  .strictObject({ customerId: id, subject: z.string().trim().min(1).max(200).optional() })
  .meta({ id: 'NewConversation' });

export const ConversationSchema = z
  .object({ id, customerId: id, subject: z.string().nullable(), status: z.enum(['open', 'closed']), createdAt: time })
  .meta({ id: 'Conversation' });

export const NewMessageSchema = z
  .strictObject({ text: z.string().trim().min(1).max(8_000) })
  .meta({ id: 'NewMessage' });

export const MessageSchema = z
  .object({ id, conversationId: id, text: z.string(), createdAt: time })
  .meta({ id: 'Message' });

export const AnswerSchema = z
  .object({ text: z.string(), source: z.string().meta({ example: 'rules' }), createdAt: time })
  .meta({ id: 'Answer' });

export const ConversationWithMessagesSchema = ConversationSchema.extend({
  messages: z.array(z.object({ id, text: z.string(), createdAt: time, answer: AnswerSchema.nullable() })),
}).meta({ id: 'ConversationWithMessages' });

const timing = {
  cron: z.string().trim().min(1).max(100).optional().meta({ example: '30 3 * * *' }),
  everySeconds: z.number().int().min(1).max(31_536_000).optional(),
};

export const WantedScheduleSchema = z
  .strictObject({
    ...timing,
    task: z.string().min(1).max(200).meta({ example: 'isp.close_idle_conversations' }),
    queue: z.enum(QUEUES),
    args: z.array(z.unknown()).max(50).default([]),
    kwargs: z.record(z.string(), z.unknown()).default({}),
    timeZone: z.string().min(1).max(64).default('America/Sao_Paulo'),
    enabled: z.boolean().default(true),
  })
  .refine(({ cron, everySeconds }) => (cron === undefined) !== (everySeconds === undefined), {
    message: 'give either cron or everySeconds',
  })
  .meta({ id: 'WantedSchedule' });

export const ScheduleSchema = z
  .object({
    name: z.string(),
    task: z.string(),
    queue: z.string(),
    args: z.array(z.unknown()),
    kwargs: z.record(z.string(), z.unknown()),
    cron: z.string().nullable(),
    everySeconds: z.number().int().nullable(),
    timeZone: z.string(),
    enabled: z.boolean(),
    lastRunAt: time.nullable(),
    nextRunAt: time.nullable(),
  })
  .meta({ id: 'Schedule' });

export const SchedulesSchema = z.object({ schedules: z.array(ScheduleSchema) }).meta({ id: 'Schedules' });

export const StatisticsSchema = z
  .object({
    refreshedAt: time,
    openConversations: z.number().int(),
    messagesByHour: z
      .array(z.object({ hour: time, messages: z.number().int() }))
      .meta({ description: 'The current hour and the 23 before it, the oldest first' }),
    unanswered: z
      .object({ messages: z.number().int(), oldestAt: time.nullable(), oldestAgeSeconds: z.number().int().nullable() })
      .meta({ description: 'Of open conversations' }),
  })
  .meta({ id: 'Statistics' });

export const ScheduleParameters = z.object({
  name: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'use lower case letters, digits and hyphens'),
});

export const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string(),
    instance: z.string().optional(),
    errors: z.array(z.object({ field: z.string(), value: z.unknown(), remedy: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });

export const IdParameters = z.object({ id });
export const ConversationQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(200).meta({ description: 'How many of the newest messages' }),
});
export const IdempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .meta({ description: 'Recommended: a repeated request with the same key and body is answered as the first was' }),
});
