import { setTimeout as sleep } from 'node:timers/promises';
import { platformRef } from '../../integration/crd/platforms.ts';
import { pick, roll } from '../../support/faults/dice.ts';
import { median } from '../statistics.ts';
import { driftAndRepair } from './drift.ts';
import type { RunningOperator } from './running-operator.ts';
import type { World } from './world.ts';

export interface SoakFigures {
  readonly seconds: number;
  readonly drifts: number;
  readonly changes: number;
  readonly reconciles: number;
  readonly errors: number;
  /** Resident memory in the first and in the last third, medians. */
  readonly residentBytes: { readonly first: number; readonly last: number };
  /** What is on the heap after collections, as far as samples catch it: the least of each third. */
  readonly heapBytes: { readonly first: number; readonly last: number };
  readonly depth: { readonly most: number; readonly atEnd: number };
  readonly repairMs: readonly number[];
  /** Writes in the time after everything had come to rest. */
  readonly writesAfter: number;
}

const SAMPLE_MS = 5_000;
const CHANGE_MS = 1_000;
const QUIET_MS = 5_000;
const REST_MS = 20_000;

/** Drift after drift, and a change of a spec every second, for a while; then it must be quiet again. */
export async function soak(world: World, operator: RunningOperator, seconds: number): Promise<SoakFigures> {
  const end = performance.now() + seconds * 1000;
  const before = await operator.sample();
  const samples: { residentBytes: number; heapBytes: number; depth: number }[] = [];
  const repairMs: number[] = [];
  let changes = 0;
  const drifting = async (): Promise<void> => {
    while (performance.now() < end) repairMs.push(await driftAndRepair(world, 1_000_000 + repairMs.length));
  };
  const changing = async (): Promise<void> => {
    for (; performance.now() < end; changes += 1) {
      await changeSpec(world, changes);
      await sleep(CHANGE_MS);
    }
  };
  const sampling = async (): Promise<void> => {
    while (performance.now() < end) {
      samples.push(await operator.sample());
      await sleep(SAMPLE_MS);
    }
  };
  await Promise.all([drifting(), changing(), sampling()]);
  await world.quiet(QUIET_MS);
  const rest = await operator.sample();
  await sleep(REST_MS);
  const after = await operator.sample();
  const third = Math.ceil(samples.length / 3);
  const [first, last] = [samples.slice(0, third), samples.slice(-third)];
  return {
    seconds,
    drifts: repairMs.length,
    changes,
    reconciles: rest.reconciles - before.reconciles,
    errors: rest.errors - before.errors,
    residentBytes: {
      first: median(first.map(({ residentBytes }) => residentBytes)),
      last: median(last.map(({ residentBytes }) => residentBytes)),
    },
    heapBytes: {
      first: Math.min(...first.map(({ heapBytes }) => heapBytes)),
      last: Math.min(...last.map(({ heapBytes }) => heapBytes)),
    },
    depth: { most: Math.max(...samples.map(({ depth }) => depth)), atEnd: rest.depth },
    repairMs,
    writesAfter: after.writes - rest.writes,
  };
}

/** Scales the API or changes what its processes are, of a platform that nobody drifts by the same dice. */
async function changeSpec(world: World, seed: number): Promise<void> {
  const index = pick([...Array(world.count).keys()], 'change', seed);
  const api = { replicas: 2 + Math.floor(roll('replicas', seed) * 4), processes: 1 + Math.floor(roll('p', seed) * 3) };
  const ref = platformRef(world.namespace(index), world.name(index));
  await world.server.client.patch(ref, { type: 'merge', body: { spec: { api } } });
}
