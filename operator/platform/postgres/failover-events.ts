import type { EventPlan } from '../core/component.ts';
import type { FailoverStatus } from '../core/platform.ts';
import type { Drive } from './driver.ts';
import { isOpen } from './failover.ts';

/** An event for each step that the record has taken since it was written last. */
export function failoverEvents(before: FailoverStatus | undefined, { record, refusal }: Drive): EventPlan[] {
  if (record === undefined || record === before) return [];
  const earlier =
    before?.component === record.component && before.detectedAt === record.detectedAt ? before : undefined;
  const { from = 'unknown', to = 'unknown', reason, rtoSeconds = 0, outcome } = record;
  const is = (key: 'step' | 'fencedAt' | 'promotedAt' | 'redundantAt' | 'podUID') =>
    record[key] !== undefined && record[key] !== earlier?.[key];
  const events: (EventPlan | false)[] = [
    earlier === undefined && warning('FailoverStarted', `${from} is lost (${reason})`),
    is('podUID') && warning('Fencing', `pod ${from} is deleted, so that it takes no more writes`),
    is('fencedAt') && normal('Fenced', `${from} takes no more writes (${record.proof ?? 'its lock was given up'})`),
    refusal !== undefined && earlier?.message !== refusal && warning('FailoverRefused', refusal),
    is('promotedAt') && normal('Promoted', `${to} holds the leader lock`),
    isOpen(earlier ?? { ...record, outcome: 'InProgress' }) &&
      !isOpen(record) &&
      ended(outcome, from, to, reason, rtoSeconds),
    is('redundantAt') && normal('RedundancyRestored', 'every member serves again'),
  ];
  return events.filter((event) => event !== false);
}

function ended(outcome: string, from: string, to: string, reason: string, seconds: number): EventPlan {
  const note =
    outcome === 'Succeeded'
      ? `${to} took over from ${from} (${reason}) and serves after ${seconds} s`
      : `${to} serves again after ${seconds} s (${reason})`;
  return normal(`Failover${outcome}`, note);
}

function warning(reason: string, note: string): EventPlan {
  return { type: 'Warning', reason, action: 'Failover', note };
}

function normal(reason: string, note: string): EventPlan {
  return { type: 'Normal', reason, action: 'Failover', note };
}
