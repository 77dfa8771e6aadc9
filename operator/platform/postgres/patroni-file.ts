import type { ConfigMap } from '../../kube/resources.ts';
import type { EffectivePostgres } from '../core/effective.ts';
import { commonLabels, labels } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import {
  clusterName,
  PATRONI_PORT,
  PATRONI_SCOPE_LABEL,
  POSTGRES_PORT,
  PRIMARY_ROLE,
  patroniFileName,
  patroniLabels,
  REPLICA_ROLE,
  REPLICATION_USER,
  SUPERUSER,
} from './names.ts';
import { dynamicConfig } from './patroni-config.ts';
import { hbaRules } from './tls/hba.ts';
import { TLS_FILES } from './tls/names.ts';
import type { TlsPhases } from './tls/phases.ts';
import { yamlText } from './yaml-text.ts';

/** Where the data volume is mounted; the cluster's directory lies below, since initdb wants to make it itself with mode 0700. */
export const DATA_VOLUME_PATH = '/var/lib/postgresql';
/** Only this container sees it: whoever can open the socket in it could read the passwords from the environment as well. */
export const SOCKET_PATH = '/run/postgresql';
export const CONFIG_PATH = '/etc/patroni';
export const PATRONI_FILE = `${CONFIG_PATH}/patroni.yml`;
/** What members that offer TLS start with: one that does not must find the other one when its container restarts. */
export const PATRONI_TLS_FILE = `${CONFIG_PATH}/patroni-tls.yml`;

/**
 * Sets the passwords to those of the Secrets whenever a member starts as primary or becomes it: volumes kept from an earlier platform
 * have the old ones. Waits for no standby, for it is they who need the new password. Patroni calls it with action, role and scope, and
 * does so when a promotion begins, hence the wait for its end.
 */
const CALLBACK = `#!/bin/sh
set -eu
[ "$2" = ${PRIMARY_ROLE} ] || exit 0
sql() { psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --host=${SOCKET_PATH} --username=${SUPERUSER} --dbname=postgres "$@"; }
attempts=0
until [ "$(sql --command='SELECT pg_is_in_recovery()')" = f ]; do
  attempts=$((attempts + 1))
  [ "$attempts" -lt 120 ] || exit 1
  sleep 0.5
done
sql <<'SQL'
\\getenv superuser_password SUPERUSER_PASSWORD
\\getenv replication_password REPLICATION_PASSWORD
SET synchronous_commit = local;
SET log_statement = none;
SET log_min_error_statement = panic;
ALTER ROLE ${SUPERUSER} PASSWORD :'superuser_password';
ALTER ROLE ${REPLICATION_USER} PASSWORD :'replication_password';
SQL
`;

/**
 * Patroni's file. It says only what cannot change in the life of a cluster: what can is in the dynamic configuration, of which this
 * file holds the first version (`bootstrap.dcs` is read once). Passwords and addresses come from the environment.
 */
export function patroniFile(platform: Platform, postgres: EffectivePostgres, tls?: TlsPhases): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: patroniFileName(platform), labels: commonLabels(platform, 'postgres') },
    data: {
      'patroni.yml': yamlText(fileContent(platform, postgres)),
      ...(tls?.offer === true ? { 'patroni-tls.yml': yamlText(fileContent(platform, postgres, tls)) } : {}),
      'set-passwords.sh': CALLBACK,
    },
  };
}

/**
 * What Patroni runs before it tells Postgres to stop, whatever it stops it for: told so and waited for by `pg_ctl`, which looks ten times a second, Postgres is as a rule gone
 * before Patroni looks for the first time. Patroni looks once a second and grants the standbys a second more, and only then gives up the leader's lock; these
 * have everything when a primary has stopped in order. In seconds, what a demotion at once may be held up by this: the session of the lock has that much to spare.
 */
const STOP_SECONDS = 2;

function fileContent(platform: Platform, postgres: EffectivePostgres, tls?: TlsPhases): unknown {
  const setPasswords = `${CONFIG_PATH}/set-passwords.sh`;
  const dataFolder = `${DATA_VOLUME_PATH}/data/pg${postgres.version}`;
  const programs = `/usr/lib/postgresql/${postgres.version}/bin`;
  return {
    scope: clusterName(platform),
    log: { level: 'INFO', deduplicate_heartbeat_logs: true },
    restapi: { listen: `*:${PATRONI_PORT}` },
    kubernetes: {
      labels: withoutScope(patroniLabels(platform)),
      scope_label: PATRONI_SCOPE_LABEL,
      role_label: labels.role,
      leader_label_value: PRIMARY_ROLE,
      follower_label_value: REPLICA_ROLE,
      standby_leader_label_value: REPLICA_ROLE,
      use_endpoints: false,
      bypass_api_service: false,
    },
    bootstrap: {
      dcs: dynamicConfig(postgres, tls),
      initdb: [
        { encoding: 'UTF8' },
        { locale: 'C.UTF-8' },
        { 'auth-host': 'scram-sha-256' },
        { 'auth-local': 'trust' },
        'data-checksums',
      ],
    },
    postgresql: {
      listen: `*:${POSTGRES_PORT}`,
      data_dir: dataFolder,
      bin_dir: programs,
      pgpass: `${SOCKET_PATH}/pgpass`,
      use_unix_socket: true,
      use_unix_socket_repl: true,
      // The base backup of a new member starts at once instead of waiting for the next checkpoint.
      basebackup: [{ checkpoint: 'fast' }],
      // A member whose data is beyond rewinding is copied anew from the primary.
      remove_data_directory_on_rewind_failure: true,
      remove_data_directory_on_diverged_timelines: true,
      before_stop: `${programs}/pg_ctl stop --silent --mode=fast --timeout=${STOP_SECONDS} --pgdata=${dataFolder}`,
      callbacks: { on_start: setPasswords, on_role_change: setPasswords },
      parameters: {
        unix_socket_directories: SOCKET_PATH,
        unix_socket_permissions: '0700',
        password_encryption: 'scram-sha-256',
        log_destination: 'stderr',
        logging_collector: 'off',
        ...(tls === undefined ? {} : tlsParameters),
      },
      ...(tls === undefined ? { pg_hba: hbaRules(false) } : { authentication: authentication(tls) }),
    },
  };
}

const tlsParameters = {
  ssl: 'on',
  ssl_cert_file: TLS_FILES.certificate,
  ssl_key_file: TLS_FILES.key,
  ssl_min_protocol_version: 'TLSv1.2',
};

/**
 * How a member comes to its primary, beside the names and passwords, which are in the environment. By address, since DNS has no part in a failover; so it is
 * the authority that is verified, and not the name. As long as there may be a primary without TLS, it is taken when it is offered.
 */
function authentication({ verify }: TlsPhases): unknown {
  const how = verify ? { sslmode: 'verify-ca', sslrootcert: TLS_FILES.bundle } : { sslmode: 'prefer' };
  // Patroni adds the name and the password of each: written as one with an alias, they would be one.
  return { superuser: { ...how }, replication: { ...how } };
}

/** Patroni adds the scope's label by itself. */
function withoutScope(all: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(all).filter(([key]) => key !== PATRONI_SCOPE_LABEL));
}
