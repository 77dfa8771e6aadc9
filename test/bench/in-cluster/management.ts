const TIMEOUT_MS = 3_000;

/** What RabbitMQ's management API answers. @param address with user and password */
export async function askManagement<T>(address: string): Promise<T> {
  const { origin, pathname, username, password } = new URL(address);
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = `Basic ${Buffer.from(login).toString('base64')}`;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(`${origin}${pathname}`, { headers: { authorization }, signal });
  if (!response.ok) throw new Error(`RabbitMQ answered ${response.status}`);
  return (await response.json()) as T;
}

/** Where it tells of one queue. @param secret the values of the platform's Secret for RabbitMQ */
export function queueAddress(host: string, secret: Readonly<Record<string, string>>, queue: string): string {
  const { vhost = '', username = '', password = '' } = secret;
  const address = new URL(`http://${host}:15672/api/queues/${encodeURIComponent(vhost)}/${queue}`);
  address.username = username;
  address.password = password;
  return address.href;
}
