import { expect } from 'chai';
import { healthy } from './cluster.ts';
import type { Desk } from './desk.ts';
import { Ledger } from './ledger.ts';

/** Far above what is measured, so that only a hang fails. */
const GAP_CEILING_SECONDS = 60;

/**
 * Has a client write before, during and after the fault, until the platform is whole again, and checks that nothing was lost or doubled.
 *
 * @param pauseMs between two messages, for what takes long
 */
export async function underLoad(desk: Desk, fault: () => Promise<void>, pauseMs?: number): Promise<void> {
  const ledger = new Ledger(desk, pauseMs);
  await ledger.more(20);
  await fault();
  await ledger.more(50);
  await healthy();
  await ledger.more(10);
  await ledger.close();
  console.log(
    `      ${ledger.count} messages acknowledged, each answered once; largest gap ${ledger.largestGapSeconds.toFixed(1)} s`,
  );
  expect(ledger.largestGapSeconds).to.be.below(GAP_CEILING_SECONDS);
}
