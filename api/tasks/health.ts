import { createServer, type Server } from 'node:http';
import { messageOf } from '../errors.ts';
import { metricsText } from './metrics.ts';

/** `/healthz`: alive; `/readyz`: does its work (`reason` says why not); `/metrics`. */
export function serveHealth(port: number, notReady: () => string | undefined): Promise<Server> {
  const server = createServer((request, response) => {
    const send = (status: number, type: string, text: string) =>
      response.writeHead(status, { 'content-type': type }).end(text);
    const reason = notReady();
    switch (request.url) {
      case '/healthz':
        return send(200, 'text/plain', 'ok\n');
      case '/readyz':
        return reason === undefined ? send(200, 'text/plain', 'ok\n') : send(503, 'text/plain', `${reason}\n`);
      case '/metrics':
        metricsText().then(
          (text) => send(200, 'text/plain; version=0.0.4', text),
          (error: unknown) => send(500, 'text/plain', `${messageOf(error)}\n`),
        );
        return;
      default:
        return send(404, 'text/plain', 'there are /healthz, /readyz and /metrics\n');
    }
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => resolve(server));
  });
}
