import { apiComponent } from './application/api/component.ts';
import { beatComponent } from './application/beat/component.ts';
import { applicationCertificateUse } from './application/certificate-use.ts';
import { migrationsComponent } from './application/migrations/component.ts';
import { workersComponent } from './application/workers/component.ts';
import { certificatesComponent } from './certificates/component.ts';
import type { CertificateUse } from './certificates/use.ts';
import type { Component, Scope } from './core/component.ts';
import { secureRandomString } from './core/random.ts';
import { credentialsComponent } from './credentials/component.ts';
import { poolerComponent } from './pooler/component.ts';
import { poolerCertificateUse } from './pooler/tls/certificate-use.ts';
import { postgresComponent } from './postgres/component.ts';
import { certificateUse } from './postgres/tls/certificate-use.ts';
import { rabbitmqComponent } from './rabbitmq/component.ts';
import { rabbitmqCertificateUse } from './rabbitmq/tls/certificate-use.ts';
import { redisComponent } from './redis/component.ts';
import { redisCertificateUse } from './redis/tls/certificate-use.ts';

/** What a platform is made of, in order of dependency. */
export const components: readonly Component[] = [
  credentialsComponent(secureRandomString),
  certificatesComponent(certificateUses),
  postgresComponent,
  poolerComponent(secureRandomString),
  redisComponent,
  rabbitmqComponent,
  migrationsComponent,
  apiComponent,
  workersComponent,
  beatComponent,
];

/** Who serves with certificates of the platform's authority. */
function certificateUses(scope: Scope): readonly CertificateUse[] {
  const servers = [certificateUse, poolerCertificateUse, redisCertificateUse, rabbitmqCertificateUse]
    .map((useOf) => useOf(scope))
    .filter((use) => use !== undefined);
  return servers.length === 0 ? [] : [...servers, applicationCertificateUse(scope)];
}
