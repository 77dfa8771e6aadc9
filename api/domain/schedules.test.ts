import { expect } from 'chai';
import { nextRun } from './schedules.ts';

const NOW = new Date('2026-01-31T12:00:30Z');

function cron(expression: string, timeZone = 'UTC') {
  return { cron: expression, everySeconds: null, timeZone, nextRunAt: null };
}

function every(everySeconds: number, nextRunAt: string | null) {
  return { cron: null, everySeconds, timeZone: 'UTC', nextRunAt: nextRunAt === null ? null : new Date(nextRunAt) };
}

describe('the next run of a schedule', () => {
  it('follows the clock of its time zone', () => {
    expect(nextRun(cron('30 3 * * *', 'America/Sao_Paulo'), NOW).toISOString()).to.equal('2026-02-01T06:30:00.000Z');
  });

  it('is after now, also on the minute', () => {
    expect(nextRun(cron('* * * * *'), new Date('2026-01-31T12:00:00Z')).toISOString()).to.equal(
      '2026-01-31T12:01:00.000Z',
    );
  });

  it('keeps an interval in step with its plan, however late a run was', () => {
    expect(nextRun(every(60, '2026-01-31T12:00:00Z'), NOW).toISOString()).to.equal('2026-01-31T12:01:00.000Z');
    expect(nextRun(every(60, '2026-01-28T12:00:00Z'), NOW).toISOString()).to.equal('2026-01-31T12:01:00.000Z');
  });

  it('starts a new interval one interval from now', () => {
    expect(nextRun(every(60, null), NOW).toISOString()).to.equal('2026-01-31T12:01:30.000Z');
  });

  it('refuses an expression that is wrong, and one that never comes', () => {
    expect(() => nextRun(cron('nonsense'), NOW)).to.throw();
    expect(() => nextRun(cron('0 0 30 2 *'), NOW)).to.throw('has no time after');
  });
});
