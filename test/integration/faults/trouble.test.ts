import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { resources } from '../../../operator/kube/resources.ts';
import type { KubeObject } from '../../../operator/kube/types.ts';
import { useApiServer } from '../../support/apiserver/shared.ts';
import { Controllers } from '../../support/controllers/index.ts';
import { eventually } from '../../support/eventually.ts';
import { type FaultPlan, seededFaults } from '../../support/faults/plan.ts';
import type { CrashPoint } from '../../support/faults/proxy.ts';
import { establishDefinition } from '../crd/platforms.ts';
import { type Baseline, FaultRun, type Report, type Trouble } from './run.ts';
import { GROWING_CLASS, life, type Step } from './steps.ts';
import { viewOf } from './view.ts';

/** Everything there is, which takes a good while, or a sample of it that fits into a minute. */
const isFull = process.env['FAULT_RUNS'] === 'all';
const SEEDS = Number(process.env['FAULT_SEEDS'] ?? 100);
/** Certain seeds alone, as often as they are named, to look into what they brought to light: `83` or `83,83,7`. */
const CHOSEN = process.env['FAULT_SEED']?.split(',').map(Number);
/** Runs wait more than they work. */
const AT_ONCE = 3;

/**
 * A platform goes through its whole life while its operator is in trouble. Each step has to come to the very state that it comes to
 * without trouble, object for object and with the same owners of every field; nothing may have been created or deleted more often, no
 * generated value may have changed, and nothing may be written any more.
 */
describe('an operator in trouble', function () {
  this.timeout(isFull ? 4 * 3_600_000 : 240_000);
  const server = useApiServer();
  let client: KubeClient;
  let controllers: Controllers;
  let baseline: Baseline;

  before(async () => {
    await establishDefinition(server.current.client, AbortSignal.timeout(20_000));
    client = server.current.newClient();
    await client.create({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: GROWING_CLASS },
      provisioner: 'isp.support/played',
      allowVolumeExpansion: true,
    } as KubeObject);
    controllers = new Controllers(client);
    await controllers.start();
    const run = await FaultRun.start(server.current, controllers);
    try {
      baseline = await run.baseline();
    } finally {
      await run.end();
    }
  });

  after(async () => {
    await controllers.stop();
    await client.close();
  });

  const step = (name: string): Step => {
    const found = life.find((one) => one.name === name);
    if (found === undefined) throw new TypeError(`there is no step ${name}`);
    return found;
  };

  const outcome = (name: string): Baseline[number] | undefined => baseline[life.indexOf(step(name))];

  const endure = async (trouble: Trouble): Promise<Report> => {
    const run = await FaultRun.start(server.current, controllers);
    try {
      await run.endure(baseline, trouble);
    } catch (error) {
      throw new Error(`with ${JSON.stringify(trouble.crash ?? trouble.seed)}: ${(error as Error).message}`, {
        cause: error,
      });
    } finally {
      await run.end();
    }
    return run.report;
  };

  /** All of them, also when one fails, which may take hours to come to again; what failed is told at once. */
  const endureAll = async (troubles: readonly Trouble[]): Promise<Report> => {
    const waiting = [...troubles];
    const total: Report = { crashes: 0, faults: 0 };
    const failures: unknown[] = [];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        try {
          const { crashes, faults } = await endure(next);
          total.crashes += crashes;
          total.faults += faults;
        } catch (error) {
          console.log(`      ${(error as Error).message}`);
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (failures.length > 0)
      throw new AggregateError(failures, `${failures.length} of ${troubles.length} lives: ${String(failures[0])}`);
    return total;
  };

  it('dies before or after any of its writes, in every step, and another one goes on', async () => {
    const points = isFull ? everyCrash(baseline) : sampledCrashes;
    const { crashes } = await endureAll(points.map((crash) => ({ crash })));
    if (isFull) console.log(`      ${points.length} lives, ${crashes} crashes`);
    expect(crashes).to.be.greaterThanOrEqual(points.length / 2);
  });

  it('has requests refused, lost and hung, and watches late, merged, doubled, cut and out of date', async () => {
    const some = Array.from({ length: isFull ? SEEDS : 3 }, (_, index) => index + 1);
    const seeds = CHOSEN ?? some;
    const { faults } = await endureAll(seeds.map((seed) => ({ seed, plan: seededFaults(seed) })));
    if (isFull) console.log(`      ${seeds.length} lives, ${faults} faults`);
    expect(faults).to.be.greaterThan(10 * seeds.length);
  });

  it('leaves nothing behind of a platform that is deleted before the cache has seen all of it', async () => {
    const late: FaultPlan = {
      request: () => undefined,
      watch: ({ path }) => (path.endsWith('/configmaps') ? { delayMs: 4_000 } : undefined),
    };
    const run = await FaultRun.start(server.current, controllers, late);
    const names = () => [...viewOf(controllers, run.namespace).keys()];
    try {
      await run.take(step('create'));
      await eventually(() => expect(names()).to.include('ConfigMap/acme-postgres-leader'), 60_000);
      await run.take(step('delete'));
      await eventually(
        () => expect(names().filter((name) => !name.startsWith('PersistentVolumeClaim/'))).to.be.empty,
        60_000,
      );
    } finally {
      await run.end();
    }
  });

  it('writes nothing while another one leads, and goes on when it leads again', async () => {
    const run = await FaultRun.start(server.current, controllers);
    const lease = { resource: resources.leases, namespace: run.namespace, name: 'isp-support-operator' };
    const holder = async (holderIdentity: string): Promise<void> => {
      await client.patch(lease, { type: 'merge', body: { spec: { holderIdentity } } });
    };
    try {
      await run.take(step('create'));
      await run.reach(step('create'), outcome('create'));
      await holder('another');
      // The next renewal is at most 2 s away.
      await sleep(3_000);
      const before = run.writes;
      await run.take(step('scale'));
      await sleep(1_000);
      expect(run.writes).to.equal(before);
      await holder('');
      await run.reach(step('scale'), outcome('scale'));
    } finally {
      await run.end();
    }
  });
});

/** A few from the beginning, where every step has one, to the end of the longest step. */
const sampledCrashes: readonly CrashPoint[] = [
  { write: 1, when: 'after' },
  { write: 4, when: 'before' },
  { write: 13, when: 'after' },
];

/** Every write of the longest step, and with it every write of every other; a few more, as the number varies with the timing. */
function everyCrash(baseline: Baseline): CrashPoint[] {
  const most = Math.max(...baseline.map(({ writes }) => writes)) + 5;
  return Array.from({ length: most }, (_, index) => index + 1).flatMap((write) => [
    { write, when: 'before' as const },
    { write, when: 'after' as const },
  ]);
}
