import { spawn } from 'node:child_process';
import { once } from 'node:events';

const FILES = ['queue', 'reflector-machine'].map((name) => `operator/runtime/${name}.property.test.ts`);

/** Runs the property tests of the queue and the reflector with so many random schedules each; returns the seconds they took. */
export async function runProperties(schedules: number): Promise<number> {
  const began = performance.now();
  const mocha = spawn(
    process.execPath,
    ['node_modules/mocha/bin/mocha.js', ...FILES.flatMap((file) => ['--spec', file])],
    {
      env: { ...process.env, PROPERTY_RUNS: String(schedules) },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const [code] = (await once(mocha, 'exit')) as [number | null];
  if (code !== 0) throw new Error('a property does not hold: run npm run properties to see which');
  return (performance.now() - began) / 1000;
}
