import { spawn } from 'node:child_process';
import { constants } from 'node:os';

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Written to the command's standard input, which is empty otherwise. */
  input?: string;
  /** Sends the command's output here, line by line, as well as collecting it. */
  onLine?: (line: string) => void;
  signal?: AbortSignal;
}

/** A command that could not be started or ended with something other than 0. */
export class CommandError extends Error {
  readonly command: string;
  readonly exitCode: number;

  constructor(command: string, exitCode: number, output: string, cause?: unknown) {
    const tail = output.trim().split('\n').slice(-20).join('\n');
    super(`${command}: exit code ${exitCode}${tail === '' ? '' : `\n${tail}`}`, { cause });
    this.name = 'CommandError';
    this.command = command;
    this.exitCode = exitCode;
  }
}

/** Runs a command to its end and gives its standard output; throws CommandError with the end of what it complained of. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const line = [command, ...args].join(' ');
  const shown = line.length > 200 ? `${line.slice(0, 200)}…` : line;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.signal ? { signal: options.signal } : {}),
    });
    let stdout = '';
    // Both streams as they came: some tools say on one that they failed, and on the other why.
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (options.onLine) for (const part of text.split('\n')) if (part.trim() !== '') options.onLine(part);
    });
    // A command that does not read its input closes the pipe; its exit code says whether that mattered.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.on('error', (error) => reject(new CommandError(shown, 127, error.message, error)));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(stdout);
      const exitCode = code ?? 128 + (signal ? constants.signals[signal] : 0);
      reject(new CommandError(shown, exitCode, output));
    });
  });
}

/** Whether a command can be run and ends with 0. */
export async function succeeds(command: string, args: readonly string[], options: RunOptions = {}): Promise<boolean> {
  try {
    await run(command, args, options);
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}
