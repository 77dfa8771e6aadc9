import type { Clock } from '../../runtime/clock.ts';
import type { EffectiveAlerts } from '../core/effective.ts';
import type { AlertStatus, Platform } from '../core/platform.ts';
import { postAlerts, type Sent } from './alertmanager-client.ts';
import { Channel } from './channel.ts';
import { type Delivery, idOf } from './journal.ts';
import { postable } from './postable.ts';

/** A key of a Secret in the platform's namespace. */
export interface TokenRef {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

export interface AlertSenderOptions {
  readonly clock: Clock;
  /** Reads a bearer token; undefined when the Secret or the key is not there. */
  readonly readToken: (ref: TokenRef, signal: AbortSignal) => Promise<string | undefined>;
  /** Something came to be known that belongs into the platform's status. */
  readonly onChange: (platformKey: string) => void;
  readonly onSent?: (platformKey: string, url: string, sent: Sent) => void;
}

interface Recipient {
  readonly channel: Channel;
  /** Undefined before the first request has ended. */
  last?: Sent;
  /** What it has taken, by id: while it fired, or its end. */
  readonly taken: Map<string, 'firing' | 'end'>;
}

interface Addressee {
  readonly settings: string;
  readonly recipients: Map<string, Recipient>;
  /** When the first of them took it, by id. */
  readonly acceptedAt: Map<string, Date>;
}

/**
 * Sends the alerts of every platform to each of its Alertmanagers, beside the reconciles, which never wait for it: they hand over what
 * the status has, and ask how far it has come.
 */
export class AlertSender {
  readonly #options: AlertSenderOptions;
  readonly #platforms = new Map<string, Addressee>();

  constructor(options: AlertSenderOptions) {
    this.#options = options;
  }

  /** Sends these from now on; without settings nothing is sent any more. */
  sync(
    key: string,
    { metadata }: Platform,
    settings: EffectiveAlerts | undefined,
    alerts: readonly AlertStatus[],
  ): void {
    if (settings === undefined) {
      this.forget(key);
      return;
    }
    const present = this.#platforms.get(key);
    const text = JSON.stringify(settings);
    if (present !== undefined && present.settings !== text) this.forget(key);
    const addressee = this.#platforms.get(key) ?? this.#open(key, metadata, settings, text);
    const ids = new Set(alerts.map(idOf));
    for (const id of addressee.acceptedAt.keys()) if (!ids.has(id)) addressee.acceptedAt.delete(id);
    for (const { channel, taken } of addressee.recipients.values()) {
      for (const id of taken.keys()) if (!ids.has(id)) taken.delete(id);
      channel.set(alerts);
    }
  }

  /** How far an alert has come, as far as this process knows. */
  deliveryOf(key: string, alert: AlertStatus): Delivery {
    const addressee = this.#platforms.get(key);
    const acceptedAt = addressee?.acceptedAt.get(idOf(alert));
    const recipients = [...(addressee?.recipients.values() ?? [])];
    const ended = recipients.length > 0 && recipients.every(({ taken }) => taken.get(idOf(alert)) === 'end');
    return { ended, ...(acceptedAt === undefined ? {} : { acceptedAt }) };
  }

  /** How the last request to each Alertmanager ended, by its URL. */
  health(key: string): ReadonlyMap<string, Sent | undefined> {
    const recipients = this.#platforms.get(key)?.recipients ?? new Map<string, Recipient>();
    return new Map([...recipients].map(([url, { last }]) => [url, last]));
  }

  forget(key: string): void {
    for (const { channel } of this.#platforms.get(key)?.recipients.values() ?? []) channel.close();
    this.#platforms.delete(key);
  }

  /** Ends everything, as when leadership is lost. */
  stop(): void {
    for (const key of this.#platforms.keys()) this.forget(key);
  }

  #open(key: string, metadata: Platform['metadata'], settings: EffectiveAlerts, text: string): Addressee {
    const addressee: Addressee = { settings: text, recipients: new Map(), acceptedAt: new Map() };
    this.#platforms.set(key, addressee);
    const { namespace = '', name } = metadata;
    for (const url of settings.urls) {
      const channel = new Channel({
        clock: this.#options.clock,
        send: async (alerts, signal) => {
          const token = await this.#token(namespace, settings, signal);
          if (token.missing !== undefined) return { ok: false, problem: token.missing, refused: true };
          const now = this.#options.clock.now();
          const body = alerts.map((alert) => postable({ namespace, name }, alert, now));
          return await postAlerts(url, token.value, body, signal);
        },
        onSent: (alerts, sent) => this.#note(key, addressee, url, alerts, sent),
      });
      addressee.recipients.set(url, { channel, taken: new Map() });
    }
    return addressee;
  }

  async #token(
    namespace: string,
    { tokenSecret }: EffectiveAlerts,
    signal: AbortSignal,
  ): Promise<{ value?: string; missing?: string }> {
    if (tokenSecret === undefined) return {};
    const value = await this.#options.readToken({ namespace, ...tokenSecret }, signal);
    if (value !== undefined) return { value };
    return { missing: `is not asked, since Secret ${tokenSecret.name} has no ${tokenSecret.key}` };
  }

  #note(key: string, addressee: Addressee, url: string, alerts: readonly AlertStatus[], sent: Sent): void {
    const recipient = addressee.recipients.get(url);
    if (recipient === undefined || this.#platforms.get(key) !== addressee) return;
    this.#options.onSent?.(key, url, sent);
    let isNews = JSON.stringify(recipient.last) !== JSON.stringify(sent);
    recipient.last = sent;
    for (const alert of sent.ok ? alerts : []) {
      const id = idOf(alert);
      const how = alert.endsAt === undefined ? 'firing' : 'end';
      if (recipient.taken.get(id) === how) continue;
      recipient.taken.set(id, how);
      if (how === 'firing' && !addressee.acceptedAt.has(id)) addressee.acceptedAt.set(id, this.#options.clock.now());
      isNews = true;
    }
    if (isNews) this.#options.onChange(key);
  }
}
