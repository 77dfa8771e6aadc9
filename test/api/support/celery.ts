import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { eventually, stop } from './daemon.ts';
import { installPackages } from './packages.ts';

/** Where the applications are that the suite runs. */
export const CELERY_FOLDER = join(import.meta.dirname, '../celery');
const REQUIREMENTS = join(CELERY_FOLDER, 'requirements.txt');

/** The version of Celery that the suite pins. */
export const CELERY_VERSION = /^celery==(.+)$/m.exec(readFileSync(REQUIREMENTS, 'utf8'))?.[1] ?? '';

/** Installs the pinned Celery unless it is there, outside of the checkout. Returns the folder of its programs. */
export function installCelery(): string {
  const key = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 16);
  const cache = process.env['ISP_CACHE'] ?? join(homedir(), '.cache/isp-support-operator');
  const folder = join(cache, `celery-${CELERY_VERSION}-${key}`);
  if (existsSync(folder)) return join(folder, 'bin');
  console.log(`installing Celery ${CELERY_VERSION}`);
  // Debian's python3 comes without what makes environments.
  if (spawnSync('python3', ['-c', 'import ensurepip, venv']).status !== 0) installPackages(['python3-venv']);
  mkdirSync(cache, { recursive: true });
  const made = `${folder}.${process.pid}`;
  const options = { stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'] };
  try {
    execFileSync('python3', ['-m', 'venv', made], options);
    // As a module: the scripts of an environment name the path at which it was made.
    execFileSync(join(made, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '-r', REQUIREMENTS], options);
    if (existsSync(folder)) return join(folder, 'bin');
    renameSync(made, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return join(folder, 'bin');
}

export interface CeleryAddresses {
  broker: string;
  /** `rpc://` or the URL of a Redis that is no cluster. */
  backend: string;
}

function environment({ broker, backend }: CeleryAddresses): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    BROKER: broker,
    BACKEND: backend,
    PYTHONPATH: CELERY_FOLDER,
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
    // Celery warns of it.
    C_FORCE_ROOT: '1',
  };
}

/** An exception that Python raised. */
export class PythonError extends Error {
  readonly type: string;
  readonly module: string;
  readonly args: string[];
  readonly traceback: string;

  constructor({ type, module, args, traceback }: { type: string; module: string; args: string[]; traceback: string }) {
    super(`${module}.${type}: ${args.join(', ')}`);
    this.type = type;
    this.module = module;
    this.args = args;
    this.traceback = traceback;
  }
}

/** A Python process with the Celery application of `test/api/celery/app.py` as `app`. */
export class Python {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #waiting: ((line: string) => void)[] = [];

  constructor(addresses: CeleryAddresses) {
    const child = spawn(join(installCelery(), 'python'), [join(CELERY_FOLDER, 'console.py')], {
      env: environment(addresses),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child = child;
    this.#lines = createInterface(child.stdout);
    this.#lines.on('line', (line) => this.#waiting.shift()?.(line));
    child.on('exit', () => {
      for (const resolve of this.#waiting.splice(0))
        resolve('{"error":{"type":"Exit","module":"","args":["Python ended"]}}');
    });
  }

  /** The value of the last line of `source`, after the lines before it were run. @throws PythonError */
  async run(source: string): Promise<unknown> {
    const line = await new Promise<string>((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin?.write(`${JSON.stringify(dedent(source))}\n`);
    });
    const answer = JSON.parse(line) as { value: unknown; error?: ConstructorParameters<typeof PythonError>[0] };
    if (answer.error) throw new PythonError(answer.error);
    return answer.value;
  }

  /** Makes the names that `source` defines known to all later runs. */
  async define(source: string): Promise<void> {
    await this.run(`exec(${JSON.stringify(source)}, NAMES)`);
  }

  /** What `source` raises. */
  async raised(source: string): Promise<PythonError> {
    try {
      throw new Error(`nothing was raised, and the value is ${JSON.stringify(await this.run(source))}`);
    } catch (error) {
      if (error instanceof PythonError) return error;
      throw error;
    }
  }

  async close(): Promise<void> {
    await stop(this.#child, 'SIGKILL');
    this.#lines.close();
  }
}

function dedent(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const indent = Math.min(...lines.map((line) => line.length - line.trimStart().length));
  return lines.map((line) => line.slice(indent)).join('\n');
}

/** Runs the `celery` command to its end. Returns what it printed. */
export function celery(
  addresses: CeleryAddresses,
  args: readonly string[],
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(installCelery(), 'python'), ['-m', 'celery', '-A', 'app', ...args], {
      env: environment(addresses),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

/** A Python worker. */
export class CeleryWorker {
  readonly #child: ChildProcess;
  output = '';

  constructor(addresses: CeleryAddresses, queue: string, args: readonly string[] = []) {
    const command = ['-m', 'celery', '-A', 'app', 'worker', '-Q', queue, '-l', 'info', ...args];
    this.#child = spawn(join(installCelery(), 'python'), command, {
      env: { ...environment(addresses), QUEUE: queue },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async ready(): Promise<void> {
    await eventually(async () => {
      if (!/ ready\.$/m.test(this.output))
        throw new Error(`the Python worker is not ready: ${this.output.slice(-2_000)}`);
    }, 60_000);
  }

  async close(): Promise<void> {
    await stop(this.#child, 'SIGTERM');
  }
}
