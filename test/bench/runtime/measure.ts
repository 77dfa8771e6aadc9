import { setTimeout as sleep } from 'node:timers/promises';
import { platformRef } from '../../integration/crd/platforms.ts';
import { driftAndRepair } from './drift.ts';
import { RunningOperator, type Sample } from './running-operator.ts';
import type { World } from './world.ts';

/** What is measured at one number of platforms. */
export interface OperatorFigures {
  readonly platforms: number;
  readonly objects: number;
  /** Seconds. */
  readonly start: { readonly caches: number; readonly first: number; readonly all: number; readonly requests: number };
  readonly idle: {
    readonly seconds: number;
    readonly writes: number;
    readonly requests: number;
    readonly cpuMs: number;
  };
  /** The first that the process has ever had, and as many after them. */
  readonly noop: { readonly first: Noops; readonly later: Noops };
  readonly repairMs: readonly number[];
  readonly connections: number;
  readonly residentBytes: number;
  /** The most there has been since the start. */
  readonly peakBytes: number;
}

/** Reconciles with nothing to do; `cpuMs` is of one. */
export interface Noops {
  readonly reconciles: number;
  readonly cpuMs: number;
  readonly requests: number;
}

const QUIET_MS = 5_000;
const SETTLE_MS = 20_000;
const NOOPS = 600;
const DRIFTS = 200;

/** Brings the platforms about with one operator, then measures another that starts over what is there. It is left running. */
export async function measureOperator(
  world: World,
  platforms: number,
  idleSeconds: number,
): Promise<{ figures: OperatorFigures; operator: RunningOperator }> {
  const first = await RunningOperator.start(world.server.kubeconfig);
  await world.growTo(platforms);
  await world.quiet(QUIET_MS);
  await first.stop();

  const operator = await RunningOperator.start(world.server.kubeconfig, ['--formed']);
  const all = await operator.reconciled(platforms);
  await world.quiet(QUIET_MS);
  const started = await operator.sample();
  await sleep(SETTLE_MS);
  const idle = await measureIdle(operator, idleSeconds);
  const { residentBytes } = await operator.sample();
  const idleCpuMs = idle.cpuMs / idle.seconds;
  const noop = {
    first: await measureNoops(world, operator, idleCpuMs, 0),
    later: await measureNoops(world, operator, idleCpuMs, NOOPS),
  };
  const repairMs: number[] = [];
  for (let drift = 0; drift < DRIFTS; drift += 1) repairMs.push(await driftAndRepair(world, drift));
  await world.quiet(QUIET_MS);
  const filled = await timeOf(operator, 'caches are filled');
  const figures = {
    platforms,
    objects: world.objects,
    start: {
      caches: (filled - operator.process.startedAt) / 1000,
      first: ((await timeOf(operator, 'first reconcile')) - filled) / 1000,
      all,
      requests: started.requests,
    },
    idle,
    noop,
    repairMs,
    connections: operator.process.connectionsTo(world.server.port),
    residentBytes,
    peakBytes: operator.process.peakBytes,
  };
  return { figures, operator };
}

async function timeOf(operator: RunningOperator, message: string): Promise<number> {
  return Date.parse((await operator.process.line(message)).time);
}

async function measureIdle(operator: RunningOperator, seconds: number): Promise<OperatorFigures['idle']> {
  const before = await operator.sample();
  await sleep(seconds * 1000);
  return { seconds, ...difference(before, await operator.sample()) };
}

/** Touches platforms where it means nothing; takes off what the process uses when nothing happens. */
async function measureNoops(
  world: World,
  operator: RunningOperator,
  idleCpuMsPerSecond: number,
  touched: number,
): Promise<Noops> {
  const before = await operator.sample();
  const began = performance.now();
  for (let touch = touched; touch < touched + NOOPS; touch += 1) {
    const index = touch % world.count;
    const body = { metadata: { annotations: { 'bench/touched': `${touch}` } } };
    await world.server.client.patch(platformRef(world.namespace(index), world.name(index)), { type: 'merge', body });
    // One platform's touches must not become one reconcile.
    if (world.count === 1) await sleep(20);
  }
  await sleep(1_000);
  const idleMs = (idleCpuMsPerSecond * (performance.now() - began)) / 1000;
  const { reconciles, cpuMs, requests } = difference(before, await operator.sample());
  return { reconciles, cpuMs: (cpuMs - idleMs) / reconciles, requests };
}

function difference(before: Sample, after: Sample): Pick<Sample, 'writes' | 'requests' | 'reconciles' | 'cpuMs'> {
  return {
    writes: after.writes - before.writes,
    requests: after.requests - before.requests,
    reconciles: after.reconciles - before.reconciles,
    cpuMs: after.cpuMs - before.cpuMs,
  };
}
