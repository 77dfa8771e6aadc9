import { expect } from 'chai';
import { resolve } from './effective.ts';
import type { PlatformSpec } from './spec.ts';
import { findings } from './validate.ts';

const IMAGES = { api: '', postgres: '', redis: '', rabbitmq: '', haproxy: '' };

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

  it('are none once the limit is raised', () => {
    expect(found({ redis: { maxMemory: '1gb', resources: { limits: { memory: '2Gi' } } } })).to.deep.equal([]);
  });
});
