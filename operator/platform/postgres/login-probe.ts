import { failed } from './problem.ts';
import type { Answer } from './reading.ts';
import { SqlSession, type SqlTarget } from './sql-session.ts';

/** Logs in as the application does, over a connection of its own: the only way to see that its password is still the right one. */
export async function tryLogin(target: SqlTarget, signal: AbortSignal): Promise<Answer<true>> {
  const session = new SqlSession(target);
  try {
    await session.query('SELECT 1', signal);
    return { ok: true, value: true };
  } catch (error) {
    return failed(error, signal);
  } finally {
    session.close();
  }
}
