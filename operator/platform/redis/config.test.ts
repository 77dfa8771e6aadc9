import { expect } from 'chai';
import { fixedSettings, liveSettings, memoryBytes, redisConf } from './config.ts';
import { wanted } from './testing/fixtures.ts';

describe('the configuration of Redis', () => {
  for (const [text, bytes] of [
    ['64mb', 67_108_864],
    ['1gb', 1_073_741_824],
    ['1g', 1_000_000_000],
    ['512kb', 524_288],
    ['1000', 1000],
  ] as const)
    it(`takes ${text} for ${bytes} bytes, as the server does`, () => expect(memoryBytes(text)).to.equal(bytes));

  it('refuses an amount of memory that it cannot read', () => {
    expect(() => memoryBytes('1 potato')).to.throw(TypeError, '1 potato');
  });

  it('includes the password instead of holding it', () => {
    const conf = redisConf(wanted);
    expect(conf).to.match(/^include \/etc\/redis-auth\/auth\.conf$/m);
    expect(conf).to.not.match(/requirepass|masterauth/);
  });

  it('has every setting once, those that change without a restart apart from the others', () => {
    const live = Object.keys(liveSettings(wanted));
    const fixed = fixedSettings(wanted).map(([name]) => name);
    expect(live).to.deep.equal(['maxmemory', 'maxmemory-policy']);
    expect(new Set([...fixed, ...live]).size).to.equal(fixed.length + live.length);
    for (const name of [...fixed, ...live]) expect(redisConf(wanted)).to.match(new RegExp(`^${name} `, 'm'));
  });
});
