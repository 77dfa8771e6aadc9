import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../support/apiserver/process.ts';
import { MeasuredProcess } from './measured-process.ts';
import { imageEnvironment, nodeFlags, program } from './programs.ts';

/** What the operator says of itself at one moment. */
export interface Sample {
  readonly writes: number;
  /** Those that write the lease excepted. */
  readonly requests: number;
  readonly reconciles: number;
  readonly errors: number;
  readonly depth: number;
  readonly heapBytes: number;
  readonly cpuMs: number;
  readonly residentBytes: number;
}

/** The operator in a process of its own, started as its image starts it. */
export class RunningOperator {
  readonly process: MeasuredProcess;
  readonly #port: number;

  private constructor(child: MeasuredProcess, port: number) {
    this.process = child;
    this.#port = port;
  }

  /** @param more what the program takes: `--formed` when the engines are not to be set up anew */
  static async start(kubeconfig: string, more: readonly string[] = []): Promise<RunningOperator> {
    const [port = 0] = await freePorts(1);
    const args = [...nodeFlags(), program('operator'), '--kubeconfig', kubeconfig, '--port', `${port}`, ...more];
    const env = {
      ...imageEnvironment(),
      RELATED_IMAGE_API: 'api:bench',
      RELATED_IMAGE_POSTGRES: 'postgres:bench',
    };
    return new RunningOperator(new MeasuredProcess(args, env), port);
  }

  async sample(): Promise<Sample> {
    const text = await this.#metrics();
    return {
      // Only the lease is written by PUT.
      writes: sumOf(text, /^rest_client_requests_total\{.*method="(?:POST|PATCH|DELETE)".*\} (\d+)$/gm),
      requests: sumOf(text, /^rest_client_requests_total\{(?!.*method="PUT").*\} (\d+)$/gm),
      reconciles: sumOf(text, /^controller_runtime_reconcile_total\{.*\} (\d+)$/gm),
      errors: sumOf(text, /^controller_runtime_reconcile_errors_total\{.*\} (\d+)$/gm),
      depth: sumOf(text, /^workqueue_depth\{.*\} (\d+)$/gm),
      heapBytes: sumOf(text, /^nodejs_heap_size_used_bytes (\d+)$/gm),
      cpuMs: this.process.cpuMs,
      residentBytes: this.process.residentBytes,
    };
  }

  /** Waits until so many platforms have been reconciled at least once; returns the seconds since the start of the process. */
  async reconciled(count: number): Promise<number> {
    for (;;) {
      const found = (await this.#metrics()).match(/^isp_platform_ready\{/gm)?.length ?? 0;
      if (found >= count) return (Date.now() - this.process.startedAt) / 1000;
      // The text grows with the platforms, and is made by the process that is measured.
      await sleep(count > 1 ? 500 : 50);
    }
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }

  async #metrics(): Promise<string> {
    await this.process.line('started');
    // A connection that was kept may be closed by the other side in the moment in which it is used again.
    const response = await fetch(`http://127.0.0.1:${this.#port}/metrics`, { headers: { connection: 'close' } });
    return await response.text();
  }
}

function sumOf(text: string, metric: RegExp): number {
  return [...text.matchAll(metric)].reduce((sum, [, number]) => sum + Number(number), 0);
}
