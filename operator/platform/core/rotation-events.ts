import type { EventPlan } from './component.ts';
import type { PasswordRotationStatus } from './platform.ts';

/**
 * An event for each phase of a rotation that the status tells of for the first time.
 *
 * @param notes by phase
 */
export function rotationEvents(
  reason: string,
  notes: Readonly<Record<string, string>>,
  before: PasswordRotationStatus | undefined,
  after: PasswordRotationStatus | undefined,
): EventPlan[] {
  if (after === undefined || (before?.phase === after.phase && before.request === after.request)) return [];
  return [{ type: 'Normal', reason, action: 'RotatePassword', note: notes[after.phase] ?? after.phase }];
}
