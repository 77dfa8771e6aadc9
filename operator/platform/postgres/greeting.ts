import { once } from 'node:events';
import { connect } from 'node:net';
import { failed } from './problem.ts';
import type { Answer } from './reading.ts';
import { SqlSession, type SqlTarget } from './sql-session.ts';

/**
 * SSLRequest (https://www.postgresql.org/docs/15/protocol-message-formats.html). A server answers it with one byte before it asks who is
 * there: whoever is refused, whatever is locked, full or starting, the byte comes, as long as the postmaster takes connections and forks.
 */
const REQUEST = [0, 0, 0, 8, 4, 210, 22, 47];
/** How long another member waits for the byte, in seconds. */
const PATIENCE_SECONDS = 2;
/** How `timeout` says that the time was over. */
const TIMED_OUT = '124';

const notTaken: Answer<true> = { ok: false, problem: 'Unreachable', detail: 'no connection in time' };

type Place = Pick<SqlTarget, 'host' | 'port'>;

/**
 * Waits for the greeting of a server, on a connection of its own. `Timeout`: its machine has taken the connection, and the server says nothing;
 * `Unreachable`: nobody has taken it, for there is no way there, or no room left in the queue of those who wait to be let in.
 */
export async function greet({ host, port }: Place, signal: AbortSignal): Promise<Answer<true>> {
  const socket = connect({ host, port, signal });
  let hasConnected = false;
  socket.once('connect', () => {
    hasConnected = true;
  });
  try {
    socket.write(Uint8Array.from(REQUEST));
    for await (const _ of socket) return { ok: true, value: true };
    return { ok: false, problem: 'Error', detail: 'closed' };
  } catch (error) {
    return signal.aborted && !hasConnected ? notTaken : failed(error, signal);
  } finally {
    socket.destroy();
  }
}

/** Whether a connection is taken there at all, which a machine does whatever its processes do. */
export async function isTaken({ host, port }: Place, signal: AbortSignal): Promise<boolean> {
  const socket = connect({ host, port, signal });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    // Why not makes no difference: nothing is known of the way there then.
    return false;
  } finally {
    socket.destroy();
  }
}

/** Has a member look for the greeting of another: its own way there is another one than the operator's. Over a connection that is kept. */
export class GreetingFromMember {
  readonly #session: SqlSession;
  readonly #statement: string;
  readonly #file: string;

  constructor(witness: SqlTarget, { host, port }: Place) {
    this.#session = new SqlSession(witness);
    this.#file = `/tmp/isp-support-greeting-${witness.port}`;
    const bytes = REQUEST.map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
    const ask = `exec 3<>/dev/tcp/${host}/${port} && printf "${bytes}" >&3 && [ -n "$(head -c 1 <&3)" ]`;
    const program = `timeout ${PATIENCE_SECONDS} bash -c '${ask}' 2>/dev/null; echo $? >${this.#file}`;
    this.#statement = `COPY (SELECT) TO PROGRAM '${program.replaceAll("'", "''")}'`;
  }

  async ask(signal: AbortSignal): Promise<Answer<true>> {
    try {
      await this.#session.query(this.#statement, signal);
      const [row] = await this.#session.query<{ code: string }>(
        `SELECT trim(pg_read_file('${this.#file}'), E'\\n') AS code`,
        signal,
      );
      return toAnswer(row?.code);
    } catch (error) {
      // That the witness does not answer says nothing of the other one.
      const answer = failed(error, signal);
      return answer.ok ? answer : { ok: false, problem: 'Unreachable', detail: answer.detail };
    }
  }

  close(): void {
    this.#session.close();
  }
}

function toAnswer(code: string | undefined): Answer<true> {
  if (code === '0') return { ok: true, value: true };
  if (code === TIMED_OUT) return { ok: false, problem: 'Timeout', detail: 'no answer in time' };
  return { ok: false, problem: 'Error', detail: `exit code ${code ?? 'unknown'}` };
}
