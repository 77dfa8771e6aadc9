import type { Condition } from '../../runtime/conditions.ts';
import type { PlannedCondition } from '../core/summary.ts';
import type { Sent } from './alertmanager-client.ts';

const type = 'AlertingReady';

/** `AlertingReady`: whether an alert would reach somebody; undefined without an Alertmanager in the spec. */
export function alertingCondition(
  health: ReadonlyMap<string, Sent | undefined>,
  before: readonly Condition[] | undefined,
): PlannedCondition | undefined {
  if (health.size === 0) return undefined;
  const results = [...health].flatMap(([url, sent]) => (sent === undefined ? [] : [{ url, sent }]));
  if (results.length < health.size) {
    const last = before?.find((one) => one.type === type);
    // What was known before this process began is better than nothing.
    if (last !== undefined) return { type, status: last.status, reason: last.reason, message: last.message };
    return {
      type,
      status: 'Unknown',
      reason: 'NotTried',
      message: 'the Alertmanager is being asked for the first time',
    };
  }
  const troubles = results.flatMap(({ url, sent }) => (sent.ok ? [] : [`${url} ${sent.problem}`]));
  if (troubles.length === 0)
    return { type, status: 'True', reason: 'Delivering', message: 'every Alertmanager takes alerts' };
  const what = troubles.join('; ');
  if (troubles.length < results.length)
    return { type, status: 'True', reason: 'DeliveringInPart', message: `${what}; the others take alerts` };
  const message = `no alert reaches anybody: ${what}; see spec.alerts.alertmanager, and what lies between it and the operator`;
  return { type, status: 'False', reason: 'NotDelivering', message };
}
