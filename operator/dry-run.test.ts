import { expect } from 'chai';
import { renderDryRun } from './dry-run.ts';

describe('the text of a dry run', () => {
  it('tells each platform’s changes, component by component, and leaves out what has none', () => {
    const text = renderDryRun([
      {
        platform: 'support/acme',
        held: 'is paused: none of this is done before it is resumed',
        components: [
          { name: 'postgres', reason: 'Healthy', message: '', changes: [] },
          {
            name: 'api',
            reason: 'Healthy',
            message: 'all pods are ready',
            changes: [
              { verb: 'change', what: 'Deployment acme-api', detail: 'spec.template.spec.containers[0].image' },
              { verb: 'create', what: 'Service acme-api' },
            ],
          },
        ],
      },
    ]);
    expect(text).to.equal(
      [
        'support/acme: 2 changes; is paused: none of this is done before it is resumed',
        '  api (Healthy: all pods are ready)',
        '    ~ change Deployment acme-api: spec.template.spec.containers[0].image',
        '    + create Service acme-api',
        '',
      ].join('\n'),
    );
  });

  it('says so when there is nothing to do, and when there are no platforms', () => {
    expect(renderDryRun([{ platform: 'support/acme', components: [] }])).to.equal('support/acme: nothing to do\n');
    expect(renderDryRun([])).to.equal('there are no platforms\n');
  });
});
