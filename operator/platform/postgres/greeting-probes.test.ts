import { expect } from 'chai';
import { ManualClock } from '../../../test/support/clock.ts';
import type { Secret } from '../../kube/resources.ts';
import { configMapOf, greeting, NOW, platformWith, podOf, primaryReading, scopeWith, seconds } from './fixtures.ts';
import { GreetingProbe, greetingProbes } from './greeting-probes.ts';
import { adminKeys, adminSecretName, patroniStateNames } from './names.ts';
import type { Answer, Problem } from './reading.ts';

const there: Answer<true> = { ok: true, value: true };
const not = (problem: Problem): Answer<true> => ({ ok: false, problem, detail: 'x' });

describe('the probe of a greeting', () => {
  it('counts those that do not come, as many as are believed, and remembers the first', async () => {
    const clock = new ManualClock(NOW);
    const probe = new GreetingProbe('pod-0', () => Promise.resolve(not('Timeout')), clock);
    const readings = [];
    for (let turn = 0; turn < 7; turn += 1) {
      readings.push(await probe.run(AbortSignal.timeout(1_000)));
      await clock.advance(1_000);
    }
    expect(readings.map(({ silences }) => silences)).to.deep.equal([1, 2, 3, 4, 5, 5, 5]);
    expect(new Set(readings.map(({ silentSince }) => silentSince))).to.deep.equal(new Set([NOW.toISOString()]));
  });

  it('begins anew with whatever says that it is not silence', async () => {
    for (const answer of [there, not('Refused'), not('Error')]) {
      const answers = [not('Timeout'), answer];
      const probe = new GreetingProbe('pod-0', () => Promise.resolve(answers.shift() ?? there), new ManualClock(NOW));
      await probe.run(AbortSignal.timeout(1_000));
      expect(await probe.run(AbortSignal.timeout(1_000))).to.deep.equal({ of: 'pod-0', answer, silences: 0 });
    }
  });
});

describe('a look that comes to nothing', () => {
  it('neither counts nor makes those before it forgotten, until there are too many', async () => {
    const answers = [not('Timeout'), ...Array.from({ length: 4 }, () => not('Unreachable')), not('Timeout')];
    const probe = new GreetingProbe('pod-0', () => Promise.resolve(answers.shift() ?? there), new ManualClock(NOW));
    const silences = [];
    while (answers.length > 0) silences.push((await probe.run(AbortSignal.timeout(1_000))).silences);
    expect(silences).to.deep.equal([1, 1, 1, 1, 0, 1]);
  });
});

describe('the greetings that are asked for', () => {
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: adminSecretName(platformWith()), namespace: 'support' },
    data: { [adminKeys.superuser]: Buffer.from('secret').toString('base64') },
  };
  const lock = configMapOf(patroniStateNames(platformWith()).leader, {
    leader: 'acme-postgres-0',
    renewTime: seconds(-1).toISOString(),
  });
  const wanted = (readings: Readonly<Record<string, unknown>>): (string | number)[][] => {
    const pods = [podOf(0, { role: 'primary' }), podOf(1), podOf(2)];
    const all = { 'postgres/acme-postgres-0': primaryReading([]), ...readings };
    return greetingProbes(scopeWith({ objects: [secret, lock, ...pods], readings: all })).map(({ name, target }) => [
      name,
      target.trim(),
    ]);
  };

  it('are none while people get in', () => {
    expect(wanted({})).to.deep.equal([]);
    expect(wanted({ 'postgres/login': there })).to.deep.equal([]);
    expect(wanted({ 'postgres/login': { ok: false, problem: 'Error', detail: '53300' } })).to.deep.equal([]);
  });

  it('are one of the operator and one of each other member, of this very pod', () => {
    expect(wanted({ 'postgres/login': not('Timeout') })).to.deep.equal([
      ['postgres/greeting', '10.0.0.0 pod-0'],
      ['postgres/greeting/acme-postgres-1', '10.0.0.1 pod-1  10.0.0.0 pod-0'],
      ['postgres/greeting/acme-postgres-2', '10.0.0.2 pod-2  10.0.0.0 pod-0'],
    ]);
  });

  it('are asked for on, whatever becomes of the login, until one comes', () => {
    const login = { 'postgres/login': there };
    expect(wanted({ ...login, 'postgres/greeting': greeting('pod-0', 3).value })).to.have.length(3);
    expect(wanted({ ...login, 'postgres/greeting': greeting('pod-0', 'greeted').value })).to.have.length(0);
  });
});
