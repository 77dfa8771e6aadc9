import { expect } from 'chai';
import { parse } from 'yaml';
import { parseContainers, renderKindConfig } from './config.ts';

describe('kind configuration', () => {
  it('has as many workers as asked for beside the control plane', () => {
    const { nodes } = parse(renderKindConfig(3)) as { nodes: { role: string }[] };
    expect(nodes.map(({ role }) => role)).to.deep.equal(['control-plane', 'worker', 'worker', 'worker']);
  });

  it('reads what crictl lists, and nothing where there is no container', () => {
    const listed = JSON.stringify({ containers: [{ id: 'abc', metadata: { name: 'postgres', attempt: 0 } }] });
    expect(parseContainers(listed)).to.deep.equal([{ id: 'abc', name: 'postgres' }]);
    expect(parseContainers('{}')).to.deep.equal([]);
  });
});
