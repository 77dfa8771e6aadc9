import { ManagementError } from './management-error.ts';

/** Asks one node after the other, until one answers; undefined where none does. */
export async function askNodes<Client, Answer>(
  clients: readonly Client[],
  question: (client: Client) => Promise<Answer>,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  for (const client of clients) {
    try {
      return await question(client);
    } catch (error) {
      if (!(error instanceof ManagementError)) throw error;
      if (signal.aborted) return undefined;
    }
  }
  return undefined;
}
