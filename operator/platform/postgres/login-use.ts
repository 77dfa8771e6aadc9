import type { Scope } from '../core/component.ts';
import { childName } from '../core/names.ts';
import { secretValue } from '../core/secrets.ts';
import { DIRECT_URL_KEY } from '../pooler/route.ts';
import { DATABASE_LOGIN } from './login.ts';
import { appSecretName } from './names.ts';
import { applicationPods, loginAnnotation } from './tls/facts.ts';

/** Whether the application's address has the login in force, and every pod of the application was made with it. */
export function isLoginFollowed(scope: Scope): boolean {
  const { platform } = scope;
  const uri = secretValue(scope, appSecretName(platform), 'uri');
  const app = childName(platform, 'app');
  const url = secretValue(scope, app, DIRECT_URL_KEY) ?? secretValue(scope, app, 'DATABASE_URL');
  if (uri === undefined || url === undefined || !url.startsWith(uri)) return false;
  const login = loginAnnotation(scope);
  return applicationPods(scope).every(({ metadata }) => metadata.annotations?.[DATABASE_LOGIN] === login);
}
