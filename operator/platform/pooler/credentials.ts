import { resources, type Secret } from '../../kube/resources.ts';
import type { Scope } from '../core/component.ts';
import { commonLabels, namespaceOf } from '../core/names.ts';
import type { RandomString } from '../core/random.ts';
import { encodeSecret, secretValue } from '../core/secrets.ts';
import { type Login, userlist } from './config.ts';
import { CONSOLE_PASSWORD_KEY, CONSOLE_USER, poolerConfigName, USERLIST_KEY } from './names.ts';

const PASSWORD_LENGTH = 32;

/** The poolers' Secret, made or brought up to date; undefined until there is a login. */
export function poolerSecret(scope: Scope, logins: readonly Login[], random: RandomString): Secret | undefined {
  if (logins.length === 0) return undefined;
  const consolePassword = consolePasswordOf(scope) ?? random(PASSWORD_LENGTH);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: poolerConfigName(scope.platform), labels: commonLabels(scope.platform, 'pooler') },
    type: 'Opaque',
    data: encodeSecret({
      [USERLIST_KEY]: userlist([...logins, { username: CONSOLE_USER, password: consolePassword }]),
      [CONSOLE_PASSWORD_KEY]: consolePassword,
    }),
  };
}

export function consolePasswordOf(scope: Scope): string | undefined {
  return secretValue(scope, poolerConfigName(scope.platform), CONSOLE_PASSWORD_KEY);
}

/** The list of users as the cluster has it; undefined before there is one. */
export function liveUserlist({ children, platform }: Scope): string | undefined {
  const ref = { resource: resources.secrets, namespace: namespaceOf(platform), name: poolerConfigName(platform) };
  return children.get<Secret>(ref)?.data?.[USERLIST_KEY];
}
