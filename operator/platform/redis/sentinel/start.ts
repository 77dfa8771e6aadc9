import { DATA_DIRECTORY } from '../config.ts';
import { NOBODY } from './config.ts';
import { type Part, PRIMARY_NAME } from './names.ts';

/**
 * On the ConfigMap of what is started by the newest command. That of a platform from before stays as it was, since its servers would be
 * restarted for nothing else.
 */
export const START_ANNOTATION = 'isp.support/redis-start';

const PROGRAM = 'redis-server';

const OWN: Readonly<Record<Part, { readonly file: string; readonly first: string }>> = {
  server: { file: 'redis.conf', first: `replicaof ${NOBODY.host} ${NOBODY.port}` },
  sentinel: { file: 'sentinel.conf', first: '# What this Sentinel knows' },
};

/**
 * The command of a server's or a Sentinel's container, whose arguments follow. It has a file of its own, which it rewrites; that is made where there is none.
 *
 * @param forgets whether a password that is written there and is not today's is dropped at the start: it is then of a platform whose
 * volumes were kept. The environment has today's as REDISCLI_AUTH.
 * @param directory where the file is
 */
export function startCommand(part: Part, forgets: boolean, directory = DATA_DIRECTORY): string[] {
  const { file, first } = OWN[part];
  const path = `${directory}/${file}`;
  const make = `test -s ${path} || echo '${first}' > ${path}; `;
  const script = `${make}${forgets ? forget(path) : ''}exec ${PROGRAM} ${path} "$@"`;
  return ['sh', '-c', script, PROGRAM];
}

/** During a rotation both passwords are written there. */
function forget(path: string): string {
  const drop = ['user default', 'sentinel auth-pass', 'sentinel sentinel-pass'].map((line) => `-e '/^${line} /d'`);
  const isWatching = `grep -q '^sentinel monitor ${PRIMARY_NAME} ' ${path}`;
  const tell = `echo "sentinel auth-pass ${PRIMARY_NAME} $REDISCLI_AUTH" >> ${path}`;
  const hash = 'hash=$(printf %s "$REDISCLI_AUTH" | sha256sum | cut -c1-64); ';
  return `${hash}grep -q "^user default .*#$hash" ${path} || { sed -i ${drop.join(' ')} ${path}; ${isWatching} && ${tell}; }; `;
}
