import { expect } from 'chai';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import { VHOST } from '../../../operator/platform/rabbitmq/names.ts';
import { installServers } from '../../api/support/packages.ts';
import { Driver } from './driver.ts';

describe('a real RabbitMQ node in trouble', function () {
  this.timeout(300_000);
  const driver = new Driver(1);

  before(async () => {
    installServers();
    await driver.create();
    await driver.until('node that serves', isHealthy);
  });

  after(() => driver.destroy());

  const limits = [
    ['memory', 'set_vm_memory_high_watermark', /acme-rabbitmq-0 is above its memory watermark.*limits\.memory$/],
    ['disk', 'set_disk_free_limit', /acme-rabbitmq-0 has too little free disk.*size of the volume$/],
  ] as const;
  for (const [what, command, message] of limits)
    it(`is told of while publishers are held back for ${what}, and no longer`, async () => {
      const [tight, wide] =
        what === 'memory'
          ? [
              ['absolute', '1MB'],
              ['absolute', '8GB'],
            ]
          : [['999999GB'], ['1MB']];
      await driver.ctl(0, command, ...tight);
      const { condition } = await driver.until('alarm', (plan) => plan.condition.reason === 'AlarmInEffect', 60);
      expect(condition.status).to.equal('False');
      expect(condition.message).to.match(message);
      await driver.ctl(0, command, ...wide);
      await driver.until('end of the alarm', isHealthy, 60);
    });

  it('gets its vhost back, with the permissions', async () => {
    await driver.ctl(0, 'delete_vhost', VHOST);
    await driver.until('missing vhost', ({ condition }) => condition.reason === 'VhostMissing', 60);
    await driver.until('vhost', isHealthy, 60);
    expect(await driver.definitions().permissions(VHOST, 'isp_support')).to.include({ write: '.*' });
  });
});

function isHealthy({ condition }: ComponentPlan): boolean {
  return condition.reason === 'Healthy';
}
