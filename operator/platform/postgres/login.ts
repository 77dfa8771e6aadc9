import { resources, type Secret } from '../../kube/resources.ts';
import type { Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import { loginAnnotations } from '../core/rotation-journal.ts';
import { ALTERNATE_USER, APP_USER, appSecretName, nextSecretName } from './names.ts';

/**
 * On the application's Secret and its pods: which address of the database they have, counted. Absent with the first one that a platform
 * got. An address that comes back counts as another: a container that restarts reads the one that there is by then.
 */
export const DATABASE_LOGIN = 'isp.support/database-login';

/** A way into the database, as a Secret has it. */
export interface AppLogin {
  readonly username: string;
  readonly password: string;
  readonly rotatedFor: string | undefined;
  readonly retiredFor: string | undefined;
}

/** The login in force; undefined without a Secret that has it. */
export function appLogin(scope: Scope): AppLogin | undefined {
  return readLogin(scope, appSecretName(scope.platform));
}

/** The login that is to follow; undefined while none is. */
export function nextLogin(scope: Scope): AppLogin | undefined {
  return readLogin(scope, nextSecretName(scope.platform));
}

function readLogin({ children, platform }: Scope, name: string): AppLogin | undefined {
  const secret = children.get<Secret>({ resource: resources.secrets, namespace: namespaceOf(platform), name });
  const { username, password } = secret?.data ?? {};
  if (username === undefined || password === undefined) return undefined;
  const { annotations = {} } = secret?.metadata ?? {};
  return {
    username: Buffer.from(username, 'base64').toString('utf8'),
    password: Buffer.from(password, 'base64').toString('utf8'),
    rotatedFor: annotations[loginAnnotations.rotatedFor],
    retiredFor: annotations[loginAnnotations.retiredFor],
  };
}

/** Of the two roles that log in, the one that does not now. */
export function otherUser(user: string): string {
  return user === APP_USER ? ALTERNATE_USER : APP_USER;
}
