import { createServer } from 'node:http';

/** Has a program in the cluster answer with JSON what it is asked on port 8000; 503 while it cannot. */
export function serve(answer: (asked: URLSearchParams) => Promise<unknown>, port = 8000): void {
  createServer((request, response) => {
    answer(new URL(request.url ?? '/', 'http://program').searchParams).then(
      (found) => response.end(JSON.stringify(found)),
      (error: unknown) => {
        response.statusCode = 503;
        response.end(String(error));
      },
    );
  }).listen(port);
}
