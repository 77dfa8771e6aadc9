import { rules, says, type ValidationRule } from './fields.ts';
import { platformSpecSchema } from './spec.ts';
import { platformStatusSchema } from './status-schema.ts';
import { lenient, type StructuralSchema, structural } from './structural.ts';

const GROUP = 'isp.support';
const VERSION = 'v1alpha1';
const PLURAL = 'ispsupportplatforms';

// Services and the labels on pods are named after the platform: 40 + "-postgres-replicas" stays below the 63 characters they may have.
const MAX_NAME_LENGTH = 40;
// <platform>-worker-<pool> has 63 characters at most, as labels and host names do.
const MAX_POOL_AND_PLATFORM = 63 - '-worker-'.length;
// Stands for an absent class; no class can be called so.
const DEFAULT_CLASS = '(default)';

/** Whether a field below the resource is there: `has(self.spec) && has(self.spec.redis) && ...`. */
function has(path: string): string {
  const [root = '', ...names] = path.split('.');
  return names.map((_, index) => `has(${[root, ...names.slice(0, index + 1)].join('.')})`).join(' && ');
}

/** A field, or a value in place of an absent one. */
function valueOr(path: string, absent: string): string {
  return `(${has(path)} ? ${path} : '${absent}')`;
}

/** Whether a switch that is off unless it is set is on. */
function isOn(path: string): string {
  return parens(`${has(path)} && ${path}`);
}

/** Rules over the whole resource: its name, and what must not change. They are here since only here the absent can be compared. */
function resourceRules(): ValidationRule[] {
  return [
    {
      rule: `size(self.metadata.name) <= ${MAX_NAME_LENGTH}`,
      fieldPath: '.metadata.name',
      message: `the name of a platform must have at most ${MAX_NAME_LENGTH} characters`,
      messageExpression: says(
        `metadata.name %s has %d characters; it must have at most ${MAX_NAME_LENGTH}, since the names of Services start with it`,
        'self.metadata.name',
        'size(self.metadata.name)',
      ),
    },
    {
      rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
      fieldPath: '.metadata.name',
      message: 'the name of a platform must be a DNS label that starts with a letter',
      messageExpression: says(
        'metadata.name %s cannot start the names of Services: use lower case letters, digits and hyphens, a letter first',
        'self.metadata.name',
      ),
    },
    {
      rule: `!${parens(has('self.spec.workers'))} || self.spec.workers.all(pool, size(self.metadata.name) + size(pool.name) <= ${MAX_POOL_AND_PLATFORM})`,
      fieldPath: '.spec.workers',
      message: `the names of platform and pool must have at most ${MAX_POOL_AND_PLATFORM} characters together`,
      messageExpression: says(
        `workers has %s, whose name is too long for a platform named %s: shorten it to %d characters, since both are in the name of its Deployment`,
        `self.spec.workers.filter(pool, size(self.metadata.name) + size(pool.name) > ${MAX_POOL_AND_PLATFORM}).map(pool, pool.name)`,
        'self.metadata.name',
        `${MAX_POOL_AND_PLATFORM} - size(self.metadata.name)`,
      ),
    },
    {
      rule: `${valueOr('self.spec.redis.mode', 'cluster')} == ${valueOr('oldSelf.spec.redis.mode', 'cluster')}`,
      fieldPath: '.spec.redis.mode',
      message: 'redis.mode cannot be changed',
      messageExpression: says(
        'redis.mode cannot change from %s to %s, since the two keep their data differently: set it back, or make a new platform',
        valueOr('oldSelf.spec.redis.mode', 'cluster'),
        valueOr('self.spec.redis.mode', 'cluster'),
      ),
    },
    {
      rule: `${isOn('self.spec.redis.tls.enabled')} == ${isOn('oldSelf.spec.redis.tls.enabled')}`,
      fieldPath: '.spec.redis.tls.enabled',
      message: 'redis.tls.enabled cannot be changed',
      messageExpression: says(
        'redis.tls.enabled cannot change from %s to %s, since servers and clients would all have to change at once: set it back, or make a new platform',
        `string(${isOn('oldSelf.spec.redis.tls.enabled')})`,
        `string(${isOn('self.spec.redis.tls.enabled')})`,
      ),
    },
    ...['postgres', 'redis', 'rabbitmq'].flatMap(storageRules),
  ];
}

function storageRules(of: string): ValidationRule[] {
  const size = `self.spec.${of}.storage.size`;
  const oldSize = `oldSelf.spec.${of}.storage.size`;
  const storageClass = valueOr(`self.spec.${of}.storage.storageClassName`, DEFAULT_CLASS);
  const oldStorageClass = valueOr(`oldSelf.spec.${of}.storage.storageClassName`, DEFAULT_CLASS);
  return [
    {
      rule: `!${parens(has(size))} || !${parens(has(oldSize))} || quantity(${size}).compareTo(quantity(${oldSize})) >= 0`,
      fieldPath: `.spec.${of}.storage.size`,
      message: `${of}.storage.size cannot shrink`,
      messageExpression: says(
        `${of}.storage.size cannot shrink from %s to %s, since a volume only grows: set it to %s or more`,
        oldSize,
        size,
        oldSize,
      ),
    },
    {
      rule: `${storageClass} == ${oldStorageClass}`,
      fieldPath: `.spec.${of}.storage.storageClassName`,
      message: `${of}.storage.storageClassName cannot be changed`,
      messageExpression: says(
        `${of}.storage.storageClassName cannot change from %s to %s, since a volume stays in its class: set it back, or make a new platform`,
        oldStorageClass,
        storageClass,
      ),
    },
  ];
}

function parens(expression: string): string {
  return `(${expression})`;
}

function column(name: string, jsonPath: string, description: string, more: object = {}) {
  return { name, type: 'string', jsonPath, description, ...more };
}

function conditionColumn(name: string, type: string) {
  return column(name, `.status.conditions[?(@.type=="${type}")].reason`, `Reason of ${type}.`, { priority: 1 });
}

const COLUMNS = [
  column('READY', '.status.conditions[?(@.type=="Ready")].status', 'Whether everything wanted is served.'),
  column('STATUS', '.status.conditions[?(@.type=="Ready")].reason', 'Reason of Ready.'),
  column('CUSTOMERS', '.status.customers', 'Customers of the tier in force.', { type: 'integer' }),
  column('API', '.status.api.ready', 'API pods ready and wanted.'),
  column('PRIMARY', '.status.postgres.primary', 'Primary of Postgres.'),
  column('VERSION', '.status.version', 'Version of the operator that last reconciled the platform.'),
  column('AGE', '.metadata.creationTimestamp', 'Time since the platform was made.', { type: 'date' }),
  conditionColumn('POSTGRES', 'PostgresReady'),
  conditionColumn('REDIS', 'RedisReady'),
  conditionColumn('RABBITMQ', 'RabbitMQReady'),
  conditionColumn('WORKERS', 'WorkersReady'),
];

/** The schema of the whole resource. */
export function platformSchema(): StructuralSchema {
  return {
    type: 'object',
    description:
      'The customer support platform of an internet provider. An empty spec makes a platform for 100 customers.',
    properties: {
      apiVersion: { type: 'string', description: 'isp.support/v1alpha1' },
      kind: { type: 'string', description: 'IspSupportPlatform' },
      metadata: { type: 'object', properties: { name: { type: 'string' } } },
      // An empty spec, where server-side apply takes the last field out: without a default it leaves a null behind, which is refused.
      spec: { ...structural(platformSpecSchema), default: {} },
      status: lenient(structural(platformStatusSchema)),
    },
    ...rules(...resourceRules()),
  };
}

/** The CustomResourceDefinition of IspSupportPlatform. */
export function platformCrd() {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${PLURAL}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: 'IspSupportPlatform',
        listKind: 'IspSupportPlatformList',
        plural: PLURAL,
        singular: 'ispsupportplatform',
        shortNames: ['isp'],
      },
      preserveUnknownFields: false,
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          additionalPrinterColumns: COLUMNS,
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.api.replicas',
              statusReplicasPath: '.status.api.replicas',
              labelSelectorPath: '.status.api.selector',
            },
          },
          schema: { openAPIV3Schema: platformSchema() },
        },
      ],
    },
  };
}
