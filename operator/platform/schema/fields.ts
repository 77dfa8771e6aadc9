import { z } from 'zod';

/** One rule of the API server's validation language, evaluated on the field that it is attached to. */
export interface ValidationRule {
  rule: string;
  message?: string;
  /** An expression that gives the message; `message` is what is said when it cannot be evaluated. */
  messageExpression?: string;
  fieldPath?: string;
  reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate';
}

/** Meta data that goes with a field into the resource definition. */
export function rules(...validations: ValidationRule[]): Record<string, unknown> {
  return { 'x-kubernetes-validations': validations };
}

/**
 * An expression for a message with values in it. `format` is the one way to put them there whose cost the API server can bound.
 *
 * @param text with %s or %d for each of the expressions that follow
 */
export function says(text: string, ...values: string[]): string {
  return `'${text}'.format([${values.join(', ')}])`;
}

/** The rule that bounds of autoscaling obey. */
export const minAtMostMax: ValidationRule = {
  rule: '!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas',
  fieldPath: '.minReplicas',
  message: 'minReplicas must not be greater than maxReplicas',
  messageExpression: says(
    'minReplicas is %d, which is more than maxReplicas, %d: lower minReplicas or raise maxReplicas',
    'self.minReplicas',
    'self.maxReplicas',
  ),
};

// Nobody writes numbers longer than this, and the bound keeps the cost of rules on them low.
const MAX_QUANTITY_LENGTH = 32;

/** A CPU or memory quantity. `cpu: 2` is what people write, so a bare integer is accepted. */
function computeQuantity() {
  return z
    .union([
      z.int().min(0),
      z
        .string()
        .max(MAX_QUANTITY_LENGTH)
        .regex(/^[0-9]+(\.[0-9]{1,3})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/),
    ])
    .meta({ 'x-kubernetes-int-or-string': true });
}

/** Requests or limits: only what is sized here, so that a misspelt resource is noticed. */
function computeAmounts(what: string) {
  return z.strictObject({
    cpu: computeQuantity().exactOptional().describe(`${what} of CPU, e.g. 2, 500m.`),
    memory: computeQuantity().exactOptional().describe(`${what} of memory, e.g. 512Mi, 2Gi.`),
  });
}

/** A quantity as a number. The language bounds the cost of `double` and `quantity`, but not that of turning a number into text. */
function numberOf(field: string): string {
  return `(type(${field}) == int ? double(${field}) : quantity(${field}).asApproximateFloat())`;
}

function atMostLimit(name: 'cpu' | 'memory'): ValidationRule {
  const [request, limit] = [`self.requests.${name}`, `self.limits.${name}`];
  const both = `has(self.requests) && has(${request}) && has(self.limits) && has(${limit})`;
  return {
    rule: `!(${both}) || ${numberOf(request)} <= ${numberOf(limit)}`,
    fieldPath: `.requests.${name}`,
    message: `requests.${name} must not be greater than limits.${name}`,
    messageExpression: says(
      `requests.${name} is %s, which is more than limits.${name}, %s: lower the request or raise the limit`,
      request,
      limit,
    ),
  };
}

/** CPU and memory of a container. What is left out comes from the tier. */
export function resources(of: string) {
  return z
    .strictObject({
      requests: computeAmounts('Request').exactOptional().describe('What the scheduler sets aside.'),
      limits: computeAmounts('Limit').exactOptional().describe('What must not be exceeded.'),
    })
    .describe(`CPU and memory of ${of}. Each figure that is left out comes from the tier.`)
    .meta(rules(atMostLimit('cpu'), atMostLimit('memory')));
}

/** A data volume, one for each pod. */
export function storage(of: string) {
  return z
    .strictObject({
      size: z
        .string()
        .max(MAX_QUANTITY_LENGTH)
        .regex(/^[1-9][0-9]*(M|G|T|Mi|Gi|Ti)$/)
        .exactOptional()
        .describe('Size of each volume, e.g. 20Gi. May grow where the class allows expansion, and never shrinks.'),
      storageClassName: z
        .string()
        .min(1)
        .max(253)
        .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
        .exactOptional()
        .describe("StorageClass of the volumes. Default: the cluster's default class. Cannot be changed afterwards."),
    })
    .describe(`Data volume of ${of}.`);
}

/** A reference to a container image. */
export function image() {
  return z
    .string()
    .min(1)
    .max(512)
    .regex(/^[^\s]+$/);
}

/** A command line, as in a container's `command`. */
export function command() {
  return z.array(z.string().min(1).max(1024)).min(1).max(32);
}

/** Name of a queue in RabbitMQ. */
export function queueName() {
  return z
    .string()
    .min(1)
    .max(127)
    .regex(/^[A-Za-z0-9_.:-]+$/);
}
