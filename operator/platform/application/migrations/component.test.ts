import { expect } from 'chai';
import type { Job } from '../../../kube/resources.ts';
import { cached, scopeOf } from '../../core/testing/scope.ts';
import { migrationsComponent } from './component.ts';

const blocked = [{ component: 'postgres', reason: 'NoPrimary' }] as const;
const [wanted] = migrationsComponent.plan(scopeOf(), []).creates as Job[];

function job(name: string | undefined, status: NonNullable<Job['status']>): Job {
  return cached({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: name ?? '' } } as Job, 'migrations', {
    status,
  });
}

describe('the migration', () => {
  it('is one Job for each version of the image', () => {
    const other = migrationsComponent.plan(scopeOf({ spec: { images: { api: 'api:2' } } }), []).creates as Job[];
    expect(wanted?.metadata.name).to.match(/^acme-migrate-[0-9a-f]{10}$/);
    expect(other[0]?.metadata.name).to.not.equal(wanted?.metadata.name);
  });

  it('waits for Postgres before it starts', () => {
    const plan = migrationsComponent.plan(scopeOf(), blocked);
    expect(plan.creates).to.equal(undefined);
    expect(plan.condition).to.include({ status: 'False', reason: 'WaitingForDependencies' });
  });

  it('stays done when Postgres is away later', () => {
    const objects = [job(wanted?.metadata.name, { succeeded: 1 })];
    expect(migrationsComponent.plan(scopeOf({ objects }), blocked).condition).to.include({
      status: 'True',
      reason: 'Migrated',
    });
  });

  it('takes earlier versions’ Jobs away, but not before its own has succeeded', () => {
    const earlier = job('acme-migrate-earlier', { succeeded: 1 });
    const removed = (own: Job) =>
      migrationsComponent.plan(scopeOf({ objects: [earlier, own] }), []).remove?.map(({ ref }) => ref.name);
    expect(removed(job(wanted?.metadata.name, { active: 1 }))).to.deep.equal([]);
    expect(removed(job(wanted?.metadata.name, { succeeded: 1 }))).to.deep.equal(['acme-migrate-earlier']);
  });

  it('says what to do when it has failed for good', () => {
    const conditions = [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }];
    const { condition } = migrationsComponent.plan(
      scopeOf({ objects: [job(wanted?.metadata.name, { conditions })] }),
      [],
    );
    expect(condition).to.include({ status: 'False', reason: 'Failed' });
    expect(condition.message).to.contain(`kubectl logs job/${wanted?.metadata.name}`).and.to.contain('delete the Job');
  });
});
