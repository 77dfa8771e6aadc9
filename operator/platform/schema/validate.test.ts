import { expect } from 'chai';
import { resolve } from './effective.ts';
import type { PlatformSpec } from './spec.ts';
import { findings } from './validate.ts';

const IMAGES = { api: '', postgres: '', redis: '', rabbitmq: '', haproxy: '', pgbouncer: '' };

const found = (spec: PlatformSpec) => findings(resolve(spec, IMAGES));

describe('findings', () => {
  it('name shared buffers that do not fit the memory limit, with both figures and what to do', () => {
    const [finding, ...others] = found({ postgres: { parameters: { shared_buffers: '8GB' } } });
    expect(others).to.deep.equal([]);
    expect(finding?.component).to.equal('postgres');
    expect(finding?.message).to.include('shared_buffers is 8GB').and.include('512Mi').and.include('lower it');
  });

  it('count shared buffers without a unit in blocks of 8 kB', () => {
    expect(found({ postgres: { parameters: { shared_buffers: 65535 } } })).to.have.length(0);
    expect(found({ postgres: { parameters: { shared_buffers: 65536 } } })).to.have.length(1);
  });

  it('name shared buffers that are no amount of memory', () => {
    const [finding] = found({ postgres: { parameters: { shared_buffers: '8Gi' } } });
    expect(finding?.message).to.include("'8Gi'").and.include('512MB');
  });

  it('name a memory bound of Redis that does not fit its limit', () => {
    const [finding] = found({ redis: { maxMemory: '1gb' } });
    expect(finding).to.include({ component: 'redis' });
    expect(finding?.message).to.include('1gb').and.include('192Mi');
  });

  it('name server connections of the pooler that leave none for anybody else, and only where there is one', () => {
    const pooler = { maxServerConnections: 90 };
    const [finding] = found({ postgres: { pooler: { ...pooler, enabled: true } } });
    expect(finding?.component).to.equal('pooler');
    expect(finding?.message).to.include('maxServerConnections is 90').and.include('max_connections, 100');
    expect(found({ postgres: { pooler } })).to.deep.equal([]);
    const parameters = { max_connections: 110 };
    expect(found({ postgres: { parameters, pooler: { ...pooler, enabled: true } } })).to.deep.equal([]);
  });

  it('are none once the limit is raised', () => {
    expect(found({ redis: { maxMemory: '1gb', resources: { limits: { memory: '2Gi' } } } })).to.deep.equal([]);
  });
});
