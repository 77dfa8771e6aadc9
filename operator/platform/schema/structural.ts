import { z } from 'zod';

/** A schema of a field as resource definitions have it. */
export interface StructuralSchema {
  type?: string;
  description?: string;
  properties?: Record<string, StructuralSchema>;
  required?: string[];
  items?: StructuralSchema;
  additionalProperties?: StructuralSchema;
  enum?: (string | number)[];
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  default?: unknown;
  [extension: `x-kubernetes-${string}`]: unknown;
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

/**
 * The structural form that resource definitions demand of a zod schema's JSON Schema: no unions (int-or-string has an extension of its own),
 * nothing beside `properties`, and no bounds that only say what an integer is in JavaScript.
 */
export function structural(schema: z.ZodType): StructuralSchema {
  return convert(z.toJSONSchema(schema, { io: 'input', target: 'openapi-3.0' }) as JsonSchema, '');
}

const COPIED = [
  'type',
  'description',
  'enum',
  'pattern',
  'format',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
] as const;

function convert(schema: JsonSchema, path: string): StructuralSchema {
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true;
  const branches = (schema.anyOf ?? []) as JsonSchema[];
  if (branches.length > 0 && !isIntOrString) throw new TypeError(`${path}: a structural schema has no unions`);
  if (schema['$ref'] !== undefined || schema.allOf !== undefined || schema.oneOf !== undefined)
    throw new TypeError(`${path}: a structural schema has no references or combinations`);
  const result: Record<string, unknown> = {};
  for (const key of COPIED)
    if (schema[key] !== undefined && !isSafeIntegerBound(schema[key])) result[key] = schema[key];
  for (const [key, value] of Object.entries(schema)) if (key.startsWith('x-kubernetes-')) result[key] = value;
  const pattern = branches.find((branch) => branch.pattern !== undefined)?.pattern;
  if (pattern !== undefined) result['pattern'] = pattern;
  if (schema.properties !== undefined) result['properties'] = convertAll(schema.properties, path);
  if (schema.items !== undefined) result['items'] = convert(schema.items as JsonSchema, `${path}[]`);
  if (typeof schema.additionalProperties === 'object')
    result['additionalProperties'] = convert(schema.additionalProperties, `${path}.*`);
  return result;
}

function convertAll(properties: NonNullable<JsonSchema['properties']>, path: string): Record<string, StructuralSchema> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, convert(schema as JsonSchema, `${path}.${name}`)]),
  );
}

function isSafeIntegerBound(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) === Number.MAX_SAFE_INTEGER;
}

/**
 * The same without required fields, but for those that identify the entries of a list. For what the operator writes: an operator and a
 * definition of different versions must not make each other's status impossible to store.
 */
export function lenient(schema: StructuralSchema, keys: readonly string[] = []): StructuralSchema {
  const { required: _, ...rest } = schema;
  const listKeys = (schema['x-kubernetes-list-map-keys'] ?? []) as string[];
  const properties = Object.entries(schema.properties ?? {}).map(([name, field]) => [name, lenient(field)]);
  return {
    ...rest,
    ...(keys.length === 0 ? {} : { required: [...keys] }),
    ...(schema.properties === undefined ? {} : { properties: Object.fromEntries(properties) }),
    ...(schema.items === undefined ? {} : { items: lenient(schema.items, listKeys) }),
  };
}
