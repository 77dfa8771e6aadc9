import { ManagementHttp, type ManagementOptions } from './management-http.ts';
import { HASHING_ALGORITHM } from './password-hash.ts';

export interface Vhost {
  readonly name: string;
  /** Absent where the version keeps none. */
  readonly defaultQueueType?: string;
}

/** Regular expressions of the names that a user may use. */
export interface Permissions {
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

export interface User {
  readonly name: string;
  /** In base64; empty where no password is accepted. */
  readonly passwordHash: string;
  /** RabbitMQ's name of how the hash was made. */
  readonly hashingAlgorithm: string;
  readonly tags: readonly string[];
}

export interface Policy {
  /** Regular expression of the names that it applies to. */
  readonly pattern: string;
  readonly 'apply-to': string;
  /** Of those that match, the one with the highest counts, and no other. */
  readonly priority: number;
  readonly definition: Readonly<Record<string, string | number>>;
}

/**
 * Users, vhosts, permissions and policies through a node's management API. Every call is bounded in time and fails with a
 * `ManagementError`.
 *
 * @see https://www.rabbitmq.com/docs/http-api-reference
 */
export class DefinitionsClient {
  readonly #http: ManagementHttp;

  constructor(options: ManagementOptions) {
    this.#http = new ManagementHttp(options);
  }

  async users(signal?: AbortSignal): Promise<readonly User[]> {
    const users = (await this.#http.get('users?columns=name,password_hash,hashing_algorithm,tags', signal)) as {
      name: string;
      password_hash?: string;
      hashing_algorithm?: string;
      tags: string | string[];
    }[];
    return users.map(({ name, password_hash = '', hashing_algorithm = '', tags }) => ({
      name,
      passwordHash: password_hash,
      hashingAlgorithm: hashing_algorithm,
      // A text with commas up to 3.8.
      tags: (typeof tags === 'string' ? tags.split(',') : tags).filter((tag) => tag !== '').toSorted(),
    }));
  }

  /** Makes a user, or changes the password and all tags of one; its sessions stay. */
  async putUser(name: string, passwordHash: string, tags: readonly string[], signal?: AbortSignal): Promise<void> {
    const body = { password_hash: passwordHash, hashing_algorithm: HASHING_ALGORITHM, tags: tags.join(',') };
    await this.#http.put(`users/${encodeURIComponent(name)}`, body, signal);
  }

  /** Its permissions go with it, and its connections are closed. */
  async deleteUser(name: string, signal?: AbortSignal): Promise<void> {
    await this.#http.delete(`users/${encodeURIComponent(name)}`, signal);
  }

  /** Undefined where there is none of that name. */
  async vhost(name: string, signal?: AbortSignal): Promise<Vhost | undefined> {
    const path = `vhosts/${encodeURIComponent(name)}?columns=name,default_queue_type`;
    const vhost = (await this.#http.find(path, signal)) as { name: string; default_queue_type?: string } | undefined;
    if (vhost === undefined) return undefined;
    const { default_queue_type: type } = vhost;
    return { name: vhost.name, ...(type === undefined || type === 'undefined' ? {} : { defaultQueueType: type }) };
  }

  /** Makes a vhost, or changes the type that its queues have by default; versions before 3.13 take that only for a new one. */
  async putVhost(name: string, defaultQueueType: string, signal?: AbortSignal): Promise<void> {
    // 3.10 has the type under the first name, later versions under the second.
    const body = { defaultqueuetype: defaultQueueType, default_queue_type: defaultQueueType };
    await this.#http.put(`vhosts/${encodeURIComponent(name)}`, body, signal);
  }

  /** Undefined where the user has none for that vhost. */
  async permissions(vhost: string, user: string, signal?: AbortSignal): Promise<Permissions | undefined> {
    const path = `permissions/${encodeURIComponent(vhost)}/${encodeURIComponent(user)}`;
    const found = (await this.#http.find(path, signal)) as Permissions | undefined;
    return found === undefined ? undefined : { configure: found.configure, write: found.write, read: found.read };
  }

  async putPermissions(vhost: string, user: string, permissions: Permissions, signal?: AbortSignal): Promise<void> {
    const path = `permissions/${encodeURIComponent(vhost)}/${encodeURIComponent(user)}`;
    await this.#http.put(path, permissions, signal);
  }

  /** Undefined where there is none of that name. */
  async policy(vhost: string, name: string, signal?: AbortSignal): Promise<Policy | undefined> {
    const found = (await this.#http.find(policyPath(vhost, name), signal)) as Policy | undefined;
    if (found === undefined) return undefined;
    const { pattern, 'apply-to': applyTo, priority, definition } = found;
    return { pattern, 'apply-to': applyTo, priority, definition };
  }

  async putPolicy(vhost: string, name: string, policy: Policy, signal?: AbortSignal): Promise<void> {
    await this.#http.put(policyPath(vhost, name), policy, signal);
  }

  async hasExchange(vhost: string, name: string, signal?: AbortSignal): Promise<boolean> {
    const path = `exchanges/${encodeURIComponent(vhost)}/${encodeURIComponent(name)}?columns=name`;
    return (await this.#http.find(path, signal)) !== undefined;
  }
}

function policyPath(vhost: string, name: string): string {
  return `policies/${encodeURIComponent(vhost)}/${encodeURIComponent(name)}`;
}
