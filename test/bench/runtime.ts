import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { measureOperator, type OperatorFigures } from './runtime/measure.ts';
import { bundle } from './runtime/programs.ts';
import { runProperties } from './runtime/properties.ts';
import { type RuntimeFigures, report } from './runtime/report.ts';
import { measureClient } from './runtime/side-by-side.ts';
import { type SoakFigures, soak } from './runtime/soak.ts';
import { World } from './runtime/world.ts';

/** Measures what docs/benchmarks/runtime.md states, prints it and writes it. Needs no cluster: etcd and kube-apiserver are started here. */
const { values } = parseArgs({
  options: {
    platforms: { type: 'string', default: '1,100,1000' },
    /** Seconds. */
    idle: { type: 'string', default: '600' },
    /** Seconds; 0 for none. */
    soak: { type: 'string', default: '300' },
    /** Random schedules of each property; 0 for none. */
    schedules: { type: 'string', default: '100000' },
    output: { type: 'string', default: 'docs/benchmarks/runtime.md' },
  },
});
const sizes = values.platforms.split(',').map(Number);
const [idleSeconds, soakSeconds, schedules] = [Number(values.idle), Number(values.soak), Number(values.schedules)];

const properties = schedules === 0 ? undefined : { schedules, seconds: await runProperties(schedules) };
await bundle();
const world = await World.start();
const operators: OperatorFigures[] = [];
const clients: RuntimeFigures['clients'][number][] = [];
let soaked: SoakFigures | undefined;
for (const platforms of sizes) {
  say(`${platforms} platforms`);
  const { figures, operator } = await measureOperator(world, platforms, idleSeconds);
  operators.push(figures);
  publish();
  if (platforms === sizes.at(-1) && soakSeconds > 0) {
    say('under load');
    soaked = await soak(world, operator, soakSeconds);
    publish();
  }
  await operator.stop();
  say('side by side');
  clients.push({
    platforms,
    own: await measureClient(world, 'own-client'),
    official: await measureClient(world, 'official-client'),
  });
  publish();
}
await world.stop();
console.log(readFileSync(values.output, 'utf8'));
process.exit();

/** After each part, so that an hour's figures are not lost with the last of them. */
function publish(): void {
  writeFileSync(values.output, report({ operator: operators, clients, soak: soaked, properties }));
}

function say(what: string): void {
  console.error(`▸ ${what}`);
}
