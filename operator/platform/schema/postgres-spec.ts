import { z } from 'zod';
import { resources, rules, says, storage, type ValidationRule } from './fields.ts';
import { poolerSpecSchema } from './pooler-spec.ts';

/** Parameters that replication, failover and the operator itself depend on, so that only the operator sets them. */
const OPERATOR_PARAMETERS = [
  'archive_cleanup_command',
  'archive_command',
  'archive_library',
  'archive_mode',
  'cluster_name',
  'config_file',
  'data_directory',
  'external_pid_file',
  'hba_file',
  'hot_standby',
  'ident_file',
  'listen_addresses',
  'log_destination',
  'log_directory',
  'log_filename',
  'logging_collector',
  'port',
  'primary_conninfo',
  'primary_slot_name',
  'promote_trigger_file',
  'recovery_min_apply_delay',
  'recovery_target',
  'recovery_target_action',
  'recovery_target_inclusive',
  'recovery_target_lsn',
  'recovery_target_name',
  'recovery_target_time',
  'recovery_target_timeline',
  'recovery_target_xid',
  'restart_after_crash',
  'restore_command',
  'ssl',
  'ssl_ca_file',
  'ssl_cert_file',
  'ssl_key_file',
  'ssl_min_protocol_version',
  'synchronous_commit',
  'synchronous_standby_names',
  'unix_socket_directories',
  'wal_level',
  'wal_log_hints',
] as const;

const operatorParameters = `[${OPERATOR_PARAMETERS.map((name) => `'${name}'`).join(', ')}]`;

const PARAMETER_NAME = '^[a-z][a-z0-9_.]{0,62}$';

/** Parameters that must be whole numbers within bounds: a wrong one keeps every member from starting. */
const COUNTS = {
  max_connections: [20, 10000],
  max_wal_senders: [5, 200],
  max_replication_slots: [5, 200],
  max_worker_processes: [2, 1024],
} as const;

function countRule(name: string, [min, max]: readonly [number, number]): ValidationRule {
  const value = `self['${name}']`;
  const inBounds = (number: string) => `${number} >= ${min} && ${number} <= ${max}`;
  return {
    rule: `!('${name}' in self) || (type(${value}) == int ? ${inBounds(`int(${value})`)} : ${value}.matches('^[0-9]{1,6}$') && ${inBounds(`int(${value})`)})`,
    message: `${name} must be a whole number from ${min} to ${max}`,
    messageExpression: says(`${name} is %s; it must be a whole number from ${min} to ${max}`, value),
  };
}

const parameters = z
  .record(
    z.string().regex(new RegExp(PARAMETER_NAME)),
    z.union([z.int(), z.string().max(1024)]).meta({ 'x-kubernetes-int-or-string': true }),
  )
  .describe(
    'Parameters of postgresql.conf, over the tier\'s. Quote what is neither a whole number nor text, e.g. "1.1", "on". Parameters that replication depends on belong to the operator.',
  )
  .meta({
    maxProperties: 100,
    ...rules(
      {
        rule: `self.all(name, !(name in ${operatorParameters}))`,
        message: 'a parameter is set that belongs to the operator',
        messageExpression: says(
          'sets %s, which the operator sets itself, for replication and failover: remove it from parameters',
          `self.filter(name, name in ${operatorParameters})`,
        ),
      },
      {
        rule: `self.all(name, name.matches('${PARAMETER_NAME}'))`,
        message: 'a parameter has an impossible name',
        messageExpression: says(
          'sets %s, which cannot be a parameter: a name has lower case letters, digits, underscores and dots',
          `self.filter(name, !name.matches('${PARAMETER_NAME}'))`,
        ),
      },
      ...Object.entries(COUNTS).map(([name, bounds]) => countRule(name, bounds)),
    ),
  });

export const postgresSpecSchema = z
  .strictObject({
    version: z.enum(['15']).exactOptional().describe('Major version of Postgres.'),
    instances: z.int().min(1).max(5).exactOptional().describe('Members: one primary, the others replicas.'),
    synchronous: z
      .boolean()
      .exactOptional()
      .describe(
        'A commit is acknowledged only when a replica has it too, so that no acknowledged write is lost in a failover. Default: true from 2 instances on.',
      ),
    storage: storage('each member').exactOptional(),
    parameters: parameters.exactOptional(),
    tls: z
      .strictObject({
        enabled: z
          .boolean()
          .exactOptional()
          .describe(
            'Whether clients and replicas connect with TLS, also through the pooler, under an authority of the platform. Can be turned on and off while it serves; the members and the pods of the pooler and of the application are replaced one at a time. Default: false.',
          ),
      })
      .exactOptional()
      .describe('Encryption of connections, with certificates that the operator makes and renews.'),
    resources: resources('a member').exactOptional(),
    pooler: poolerSpecSchema.exactOptional(),
  })
  .describe('Postgres under Patroni: streaming replication with automatic failover.')
  .meta(
    rules({
      rule: '!has(self.synchronous) || !self.synchronous || !has(self.instances) || self.instances >= 2',
      fieldPath: '.synchronous',
      message: 'synchronous needs at least 2 instances',
      messageExpression: says(
        'synchronous is true with instances %d, so there is no replica to wait for: set instances to 2 or more, or remove synchronous',
        'self.instances',
      ),
    }),
  );
