import type { ComponentName, ComponentPlan, ConditionPlan } from './component.ts';

/** A condition before it is given its times and its generation. */
export interface PlannedCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export interface SummaryInput {
  /** In order of dependency. */
  readonly plans: ReadonlyMap<ComponentName, ComponentPlan>;
  readonly paused: boolean;
  /** What a deleted platform of the same name has left, as text; empty when there is nothing. */
  readonly leftovers: string;
  /** What went wrong while the plan was carried out, each a sentence; the reconcile is tried again. */
  readonly failures: readonly string[];
  /** What no retry can heal, e.g. a name that belongs to somebody else. */
  readonly terminal: readonly string[];
  /** Workloads whose newest specification their controllers have yet to see. */
  readonly unseen: readonly string[];
  readonly failover: { readonly inProgress: boolean; readonly message: string };
}

/** The platform's conditions. `Reconciling` and `Stalled` are in the list only while they are true, as kstatus has it. */
export function summarize(input: SummaryInput): PlannedCondition[] {
  const own = [...input.plans.values()].map((plan) => plan.condition);
  const ready = readyCondition(input);
  const progressing = progressingCondition(input);
  const conditions: PlannedCondition[] = [ready, progressing, degradedCondition(input)];
  if (progressing.status === 'True' && input.terminal.length === 0)
    conditions.push({ ...progressing, type: 'Reconciling' });
  if (input.terminal.length > 0)
    conditions.push({ type: 'Stalled', status: 'True', reason: 'NeedsAttention', message: input.terminal.join('; ') });
  for (const condition of own) {
    const { type, status, reason, message } = condition;
    if (type !== undefined) conditions.push({ type, status, reason, message });
  }
  const { inProgress, message } = input.failover;
  conditions.push({
    type: 'FailoverInProgress',
    status: inProgress ? 'True' : 'False',
    reason: inProgress ? 'FailingOver' : 'NoFailover',
    message,
  });
  return conditions;
}

/** `PostgresReady` → `Postgres`; components without a condition go by their name. */
function titleOf(name: ComponentName, condition: ConditionPlan): string {
  return condition.type?.replace(/Ready$/, '') ?? name.charAt(0).toUpperCase() + name.slice(1);
}

function lines(input: SummaryInput, wanted: (condition: ConditionPlan) => boolean): string[] {
  return [...input.plans]
    .filter(([, { condition }]) => wanted(condition))
    .map(([name, { condition }]) => `${titleOf(name, condition)}: ${condition.message}`);
}

function readyCondition(input: SummaryInput): PlannedCondition {
  const blocking = [...input.plans].find(([, { condition }]) => condition.status !== 'True');
  if (blocking !== undefined) {
    const [name, { condition }] = blocking;
    return {
      type: 'Ready',
      status: condition.status === 'Unknown' ? 'Unknown' : 'False',
      reason: `${titleOf(name, condition)}${condition.reason}`,
      message: lines(input, ({ status }) => status !== 'True').join('; '),
    };
  }
  const degraded = lines(input, (condition) => condition.degraded === true);
  if (degraded.length > 0)
    return { type: 'Ready', status: 'True', reason: 'Degraded', message: `serving, but ${degraded.join('; ')}` };
  return { type: 'Ready', status: 'True', reason: 'Healthy', message: 'every component is served as wanted' };
}

function progressingCondition(input: SummaryInput): PlannedCondition {
  const type = 'Progressing';
  if (input.terminal.length > 0)
    return { type, status: 'False', reason: 'Stalled', message: input.terminal.join('; ') };
  if (input.paused) {
    const message = 'paused: the operator observes and reports, and changes nothing';
    return { type, status: 'False', reason: 'Paused', message };
  }
  if (input.leftovers !== '') {
    const message = `waits until what a deleted platform of this name has left is gone: ${input.leftovers}`;
    return { type, status: 'True', reason: 'WaitingForDeletion', message };
  }
  if (input.failures.length > 0)
    return { type, status: 'True', reason: 'Retrying', message: input.failures.join('; ') };
  const progressing = lines(input, (condition) => condition.progressing === true);
  if (progressing.length > 0) return { type, status: 'True', reason: 'RollingOut', message: progressing.join('; ') };
  if (input.unseen.length > 0) {
    const message = `changed, and not yet looked at by its controller: ${input.unseen.join(', ')}`;
    return { type, status: 'True', reason: 'RollingOut', message };
  }
  return { type, status: 'False', reason: 'UpToDate', message: 'the platform is as the resource describes it' };
}

function degradedCondition(input: SummaryInput): PlannedCondition {
  const type = 'Degraded';
  const degraded = lines(input, (condition) => condition.degraded === true);
  if (degraded.length > 0) return { type, status: 'True', reason: 'RedundancyReduced', message: degraded.join('; ') };
  return {
    type,
    status: 'False',
    reason: 'FullRedundancy',
    message: 'no component has less redundancy or capacity than wanted',
  };
}
