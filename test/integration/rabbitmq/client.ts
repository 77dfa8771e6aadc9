import { type Channel, type ChannelModel, connect, type GetMessage } from 'amqplib';
import type { NodeAddress } from '../../../operator/platform/rabbitmq/address.ts';
import { USER, VHOST } from '../../../operator/platform/rabbitmq/names.ts';
import { eventually } from '../../api/support/daemon.ts';
import { PASSWORD } from './driver.ts';

/** An application's connection with one channel. */
export class Client {
  readonly channel: Channel;
  readonly #connection: ChannelModel;

  private constructor(connection: ChannelModel, channel: Channel) {
    this.#connection = connection;
    this.channel = channel;
  }

  static async open({ host: hostname, trust }: NodeAddress): Promise<Client> {
    const protocol = trust === undefined ? 'amqp' : 'amqps';
    const connection = await connect({ protocol, hostname, username: USER, password: PASSWORD, vhost: VHOST }, trust);
    connection.on('error', () => undefined);
    return new Client(connection, await connection.createChannel());
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** The next message of a queue, within ten seconds. */
  async take(queue: string): Promise<GetMessage> {
    return await eventually(async () => {
      const message = await this.channel.get(queue);
      if (message === false) throw new Error(`${queue} is empty`);
      return message;
    }, 10_000);
  }
}
