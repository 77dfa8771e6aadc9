import type { z } from 'zod';
import { AppError } from '../errors.ts';

export interface FieldError {
  /** Where, as in `body.customerId`. */
  field: string;
  /** What came; long values are cut. */
  value: unknown;
  /** What would be right. */
  remedy: string;
}

const SHOWN_LENGTH = 100;

function shown(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === 'string' && value.length > SHOWN_LENGTH) return `${value.slice(0, SHOWN_LENGTH)}…`;
  return typeof value === 'object' && value !== null ? `(${Array.isArray(value) ? 'an array' : 'an object'})` : value;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    root,
  );
}

function fieldErrors(part: string, value: unknown, error: z.ZodError): FieldError[] {
  return error.issues.map((issue) => ({
    field: [part, ...issue.path.map(String)].join('.'),
    value: shown(valueAt(value, issue.path)),
    remedy: remedyOf(issue),
  }));
}

function remedyOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `remove ${issue.keys.join(', ')}: there is no such field`;
  return issue.message;
}

/**
 * @param part where the value came from: `body`, `path`, `query` or `header`.
 * @throws AppError `invalid-request`, which names each wrong field, its value and the remedy.
 */
export function validate<T extends z.ZodType>(schema: T, part: string, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = fieldErrors(part, value, parsed.error);
  const summary = errors
    .map(({ field, value, remedy }) => `${field} is ${JSON.stringify(value)}: ${remedy}`)
    .join('; ');
  throw new AppError('invalid-request', summary, { detail: { errors } });
}
