import { expect } from 'chai';
import { violations } from './check-imports.ts';

const cases: readonly { file: string; imports: string; allowed: boolean }[] = [
  { file: 'operator/platform/postgres/plan.ts', imports: '../../runtime/logger.ts', allowed: true },
  { file: 'operator/platform/postgres/plan.ts', imports: '../core/names.ts', allowed: true },
  { file: 'operator/runtime/queue.ts', imports: '../kube/types.ts', allowed: true },
  { file: 'operator/runtime/queue.ts', imports: '../platform/core/names.ts', allowed: false },
  { file: 'operator/kube/client.ts', imports: '../runtime/logger.ts', allowed: false },
  { file: 'operator/platform/core/plan.ts', imports: '../../cli/status.ts', allowed: false },
  { file: 'operator/platform/schema/spec.ts', imports: '../postgres/plan.ts', allowed: false },
  { file: 'operator/cli/plan.ts', imports: '../platform/schema/effective.ts', allowed: true },
  { file: 'operator/cli/plan.ts', imports: '../platform/postgres/plan.ts', allowed: false },
  { file: 'operator/main.ts', imports: './platform/postgres/plan.ts', allowed: true },
  { file: 'operator/main.ts', imports: '../api/app.ts', allowed: false },
  { file: 'operator/main.ts', imports: '../hack/generate.ts', allowed: false },
  { file: 'api/app.ts', imports: '../operator/kube/client.ts', allowed: false },
  { file: 'api/app.ts', imports: './http/server.ts', allowed: true },
  { file: 'api/app.test.ts', imports: '../test/support/servers.ts', allowed: true },
  { file: 'api/app.ts', imports: '../test/support/servers.ts', allowed: false },
  { file: 'hack/generate.ts', imports: '../operator/platform/schema/crd.ts', allowed: true },
];

describe('the direction of imports', () => {
  for (const { file, imports, allowed } of cases) {
    it(`${allowed ? 'lets' : 'does not let'} ${file} import ${imports}`, () => {
      expect(violations(file, `import { x } from '${imports}';`)).to.have.length(allowed ? 0 : 1);
    });
  }

  it('sees types, re-exports and dynamic imports, and leaves packages alone', () => {
    const source = [
      "import type { A } from '../runtime/a.ts';",
      "export { b } from '../runtime/b.ts';",
      "const c = await import('../runtime/c.ts');",
      "import ts from 'typescript';",
    ].join('\n');
    expect(violations('operator/kube/client.ts', source).map(({ imports }) => imports)).to.have.members([
      'operator/runtime/a.ts',
      'operator/runtime/b.ts',
      'operator/runtime/c.ts',
    ]);
  });
});
