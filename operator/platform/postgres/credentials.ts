import type { ComponentName } from '../core/component.ts';
import type { Platform } from '../core/platform.ts';
import type { RandomString } from '../core/random.ts';
import { APP_USER, adminKeys, adminSecretName, appSecretName, DATABASE, POSTGRES_PORT, primaryHost } from './names.ts';

export const PASSWORD_LENGTH = 32;

interface PostgresSecret {
  readonly name: string;
  readonly component: ComponentName;
  readonly values: Readonly<Record<string, string>>;
}

/** The app user's Secret and the administrators', with fresh passwords; `random` gives letters and digits only, so nothing needs quoting. */
export function postgresSecrets(platform: Platform, random: RandomString): readonly PostgresSecret[] {
  const password = random(PASSWORD_LENGTH);
  return [
    {
      name: appSecretName(platform),
      component: 'postgres',
      values: loginValues(platform, APP_USER, password),
    },
    {
      name: adminSecretName(platform),
      component: 'postgres',
      values: {
        [adminKeys.superuser]: random(PASSWORD_LENGTH),
        [adminKeys.replication]: random(PASSWORD_LENGTH),
        [adminKeys.restapi]: random(PASSWORD_LENGTH),
      },
    },
  ];
}

/** What a client is given of a login. */
export function loginValues(platform: Platform, username: string, password: string): Readonly<Record<string, string>> {
  const uri = `postgresql://${username}:${password}@${primaryHost(platform)}:${POSTGRES_PORT}/${DATABASE}`;
  return { username, password, database: DATABASE, uri };
}
