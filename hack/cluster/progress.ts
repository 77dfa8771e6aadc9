/** Tells a person what is being done, how long it has taken so far, and what comes next. */
export interface Progress {
  /** Runs one named step; `usually` says what to expect of a long one, e.g. "5 min the first time". */
  step<T>(title: string, work: () => Promise<T>, usually?: string): Promise<T>;
  say(text: string): void;
}

export interface ProgressOptions {
  /** Titles of the steps to come, in order, so that each can say what follows it. */
  plan?: readonly string[];
  write?: (line: string) => void;
  now?: () => number;
  /** Milliseconds between two signs of life of a long step. */
  heartbeatMs?: number;
}

export function formatDuration(milliseconds: number): string {
  if (milliseconds < 10_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export function createProgress(options: ProgressOptions = {}): Progress {
  const { plan = [], now = () => performance.now(), heartbeatMs = 15_000 } = options;
  const write = options.write ?? ((line: string) => void process.stderr.write(`${line}\n`));

  function heading(title: string, usually: string | undefined): string {
    const index = plan.indexOf(title);
    const count = index < 0 ? '' : `[${index + 1}/${plan.length}] `;
    const next = index < 0 ? undefined : plan[index + 1];
    const notes = [usually && `usually ${usually}`, next && `next: ${next}`].filter((note) => note !== undefined);
    return `▸ ${count}${title}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`;
  }

  async function step<T>(title: string, work: () => Promise<T>, usually?: string): Promise<T> {
    const began = now();
    write(heading(title, usually));
    const heartbeat = setInterval(() => write(`  … ${title}: ${formatDuration(now() - began)} so far`), heartbeatMs);
    try {
      const result = await work();
      write(`  ✓ ${title}: ${formatDuration(now() - began)}`);
      return result;
    } catch (error) {
      write(`  ✗ ${title}: failed after ${formatDuration(now() - began)}`);
      throw error;
    } finally {
      clearInterval(heartbeat);
    }
  }

  return { step, say: (text) => write(`  ${text}`) };
}
