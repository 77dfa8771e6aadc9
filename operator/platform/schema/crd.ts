import { rules, type ValidationRule } from './fields.ts';
import { platformSpecSchema } from './spec.ts';
import { platformStatusSchema } from './status-schema.ts';
import { lenient, type StructuralSchema, structural } from './structural.ts';

const GROUP = 'isp.support';
const VERSION = 'v1alpha1';
const PLURAL = 'ispsupportplatforms';

// Services and the labels on pods are named after the platform: 40 + "-postgres-replicas" stays below the 63 characters they may have.
const MAX_NAME_LENGTH = 40;
const MAX_CHILD_NAME_LENGTH = 63;

const sizePath = (of: string) => `self.?spec.?${of}.?storage.?size`;
const classPath = (of: string) => `self.?spec.?${of}.?storage.?storageClassName`;
const before = (path: string) => path.replace('self.', 'oldSelf.');

/** Rules over the whole resource: its name, and what must not change. They are here since only here the absent can be compared. */
function resourceRules(): ValidationRule[] {
  return [
    {
      rule: `size(self.metadata.name) <= ${MAX_NAME_LENGTH}`,
      fieldPath: '.metadata.name',
      message: `the name of a platform must have at most ${MAX_NAME_LENGTH} characters`,
      messageExpression: `"metadata.name '" + self.metadata.name + "' has " + string(size(self.metadata.name)) + " characters; it must have at most ${MAX_NAME_LENGTH}, since the names of Services start with it"`,
    },
    {
      rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
      fieldPath: '.metadata.name',
      message: 'the name of a platform must be a DNS label that starts with a letter',
      messageExpression: `"metadata.name '" + self.metadata.name + "' cannot start the name of a Service: use lower case letters, digits and '-', a letter first"`,
    },
    {
      rule: `!has(self.spec) || !has(self.spec.workers) || self.spec.workers.all(pool, size(self.metadata.name) + size('-worker-') + size(pool.name) <= ${MAX_CHILD_NAME_LENGTH})`,
      fieldPath: '.spec.workers',
      message: `the name of a pool must leave its Deployment, named PLATFORM-worker-POOL, at most ${MAX_CHILD_NAME_LENGTH} characters`,
      messageExpression: `"the name of pool " + self.spec.workers.filter(pool, size(self.metadata.name) + size('-worker-') + size(pool.name) > ${MAX_CHILD_NAME_LENGTH}).map(pool, pool.name).join(', ') + " is too long: " + self.metadata.name + "-worker-<name> must have at most ${MAX_CHILD_NAME_LENGTH} characters, so shorten it to " + string(${MAX_CHILD_NAME_LENGTH} - size('-worker-') - size(self.metadata.name))`,
    },
    {
      rule: "self.?spec.?redis.?mode.orValue('cluster') == oldSelf.?spec.?redis.?mode.orValue('cluster')",
      fieldPath: '.spec.redis.mode',
      message: 'redis.mode cannot be changed',
      messageExpression: `"spec.redis.mode cannot change from " + oldSelf.?spec.?redis.?mode.orValue('cluster') + " to " + self.?spec.?redis.?mode.orValue('cluster') + ": the two keep their data differently. Set it back, or make a new platform"`,
    },
    ...['postgres', 'redis', 'rabbitmq'].flatMap(storageRules),
  ];
}

function storageRules(of: string): ValidationRule[] {
  const [size, storageClass] = [sizePath(of), classPath(of)];
  const [oldSize, oldClass] = [before(size), before(storageClass)];
  return [
    {
      rule: `!${size}.hasValue() || !${oldSize}.hasValue() || quantity(${size}.value()).compareTo(quantity(${oldSize}.value())) >= 0`,
      fieldPath: `.spec.${of}.storage.size`,
      message: `${of}.storage.size cannot shrink`,
      messageExpression: `"spec.${of}.storage.size cannot shrink from " + ${oldSize}.value() + " to " + ${size}.value() + ": a volume only grows. Set it to " + ${oldSize}.value() + " or more"`,
    },
    {
      rule: `${storageClass} == ${oldClass}`,
      fieldPath: `.spec.${of}.storage.storageClassName`,
      message: `${of}.storage.storageClassName cannot be changed`,
      messageExpression: `"spec.${of}.storage.storageClassName cannot change from " + ${oldClass}.orValue('the default class') + " to " + ${storageClass}.orValue('the default class') + ": a volume stays in its class. Set it back, or make a new platform"`,
    },
  ];
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
      spec: structural(platformSpecSchema),
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
