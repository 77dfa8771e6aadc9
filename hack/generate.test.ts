import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { generatedFiles, outdated } from './generate.ts';

const CRD_FILE = 'crds/isp.support_ispsupportplatforms.yaml';

describe('generated files', () => {
  it('are current', async () => {
    expect(await outdated(join(import.meta.dirname, '..'))).to.deep.equal([]);
  });

  it('are named when they are missing', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'generated-'));
    expect(await outdated(empty)).to.deep.equal([...generatedFiles().keys()]);
    await rm(empty, { recursive: true });
  });

  it('keep the resource definition small enough for client-side apply', () => {
    expect(Buffer.byteLength(generatedFiles().get(CRD_FILE) ?? '')).to.be.within(1, 128 * 1024);
  });

  it('describe every field of the spec and the status', () => {
    const definition = parse(generatedFiles().get(CRD_FILE) ?? '');
    const { spec, status } = definition.spec.versions[0].schema.openAPIV3Schema.properties;
    expect([...undescribed(spec, 'spec'), ...undescribed(status, 'status')]).to.deep.equal([]);
  });

  it('show what each tier makes of a field in the reference', () => {
    const page = generatedFiles().get('docs/reference/resource.md') ?? '';
    expect(page).to.include('100: `64mb`<br>1000: `256mb`<br>10000: `1gb`<br>50000: `4gb`');
  });

  it('show every rule in the reference, those of list entries included', () => {
    const page = generatedFiles().get('docs/reference/resource.md') ?? '';
    expect(page).to.include('`spec.workers[]`: softTimeLimitSeconds must be less than timeLimitSeconds');
    expect(page).to.include('`spec.api.resources`: requests.cpu must not be greater than limits.cpu');
  });
});

interface Described {
  description?: string;
  properties?: Record<string, Described>;
  items?: Described;
}

function undescribed(schema: Described, path: string): string[] {
  const own = schema.description === undefined ? [path] : [];
  const inner = Object.entries(schema.properties ?? schema.items?.properties ?? {});
  return [...own, ...inner.flatMap(([name, field]) => undescribed(field, `${path}.${name}`))];
}
