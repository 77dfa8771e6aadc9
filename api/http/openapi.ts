import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import type { z } from 'zod';
import { PROBLEM_TYPE } from './problem.ts';
import * as schemas from './schemas.ts';

type Document = ReturnType<OpenApiGeneratorV31['generateDocument']>;

function json(schema: z.ZodType, description: string) {
  return { description, content: { 'application/json': { schema } } };
}

function problem(description: string) {
  return { description, content: { [PROBLEM_TYPE]: { schema: schemas.ProblemSchema } } };
}

const unauthorized = problem('The bearer token is missing or wrong');
const security = [{ adminToken: [] }];

const busy = problem('Not now: a dependency is away, or the server is busy. Retry-After says when to come back');

function creation(path: string, body: z.ZodType, made: z.ZodType, parameters?: z.ZodObject): RouteConfig {
  return {
    method: 'post',
    path,
    request: {
      headers: schemas.IdempotencyHeaders,
      body: { required: true, content: { 'application/json': { schema: body } } },
      ...(parameters && { params: parameters }),
    },
    responses: {
      201: json(made, 'Created, or the first answer again for a repeated Idempotency-Key'),
      400: problem('A field is wrong: which, its value and the remedy are in `errors`'),
      404: problem('What it belongs to does not exist'),
      413: problem('The body is too large'),
      422: problem('The Idempotency-Key was used with another body'),
      503: busy,
    },
  };
}

function reading(path: string, read: z.ZodType, query?: z.ZodObject): RouteConfig {
  return {
    method: 'get',
    path,
    request: { params: schemas.IdParameters, ...(query && { query }) },
    responses: {
      200: json(read, 'Found'),
      400: problem('The id or the query is wrong'),
      404: problem('Not found'),
      503: busy,
    },
  };
}

function operations(): RouteConfig[] {
  const plain = (path: string, description: string, extra: RouteConfig['responses'] = {}): RouteConfig => ({
    method: 'get',
    path,
    responses: { 200: { description }, ...extra },
  });
  return [
    plain('/health', 'The process is alive'),
    plain('/ready', 'It can serve; each dependency with its state', { 503: { description: 'It cannot serve' } }),
    plain('/metrics', 'Prometheus metrics'),
    creation('/v1/customers', schemas.NewCustomerSchema, schemas.CustomerSchema),
    reading('/v1/customers/{id}', schemas.CustomerSchema),
    creation('/v1/conversations', schemas.NewConversationSchema, schemas.ConversationSchema),
    reading('/v1/conversations/{id}', schemas.ConversationWithMessagesSchema, schemas.ConversationQuery),
    creation('/v1/conversations/{id}/messages', schemas.NewMessageSchema, schemas.MessageSchema, schemas.IdParameters),
    ...schedules(),
    statistics(),
  ];
}

function schedules(): RouteConfig[] {
  const path = '/v1/schedules/{name}';
  const params = schemas.ScheduleParameters;
  const missing = problem('There is no schedule of that name');
  const body = { required: true, content: { 'application/json': { schema: schemas.WantedScheduleSchema } } };
  const saved = json(schemas.ScheduleSchema, 'The schedule as it is now');
  const wrong = problem('A field is wrong: which, its value and the remedy are in `errors` or in `detail`');
  return [
    {
      method: 'get',
      path: '/v1/schedules',
      security,
      responses: { 200: json(schemas.SchedulesSchema, 'What beat sends, and when'), 401: unauthorized, 503: busy },
    },
    {
      method: 'get',
      path,
      security,
      request: { params },
      responses: { 200: saved, 401: unauthorized, 404: missing, 503: busy },
    },
    {
      method: 'put',
      path,
      security,
      request: { params, body },
      responses: { 200: saved, 400: wrong, 401: unauthorized, 503: busy },
    },
    {
      method: 'delete',
      path,
      security,
      request: { params },
      responses: { 204: { description: 'Gone' }, 401: unauthorized, 404: missing, 503: busy },
    },
  ];
}

function statistics(): RouteConfig {
  return {
    method: 'get',
    path: '/v1/statistics',
    security,
    responses: {
      200: json(schemas.StatisticsSchema, 'As they were at `refreshedAt`; counted each minute'),
      401: unauthorized,
      404: problem('Nothing has been counted yet'),
      503: busy,
    },
  };
}

/** The API described by the schemas that it validates with. */
export function openApiDocument(version: string): Document {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'adminToken', {
    type: 'http',
    scheme: 'bearer',
    description: 'ADMIN_TOKEN of the platform',
  });
  for (const operation of operations()) registry.registerPath(operation);
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'ISP customer support',
      version,
      description: 'Customers, conversations, messages and their answers.',
    },
  });
}
