import { createHash } from 'node:crypto';
import type { Transaction } from '../db/database.ts';
import { AppError } from '../errors.ts';

/** What a client was answered, and is answered again when it repeats its request. */
export interface Response<T> {
  status: number;
  body: T;
}

export interface IdempotentRequest {
  /** The operation and its target; the same key under another scope is another request. */
  scope: string;
  /** The client's Idempotency-Key; without one the work simply runs. */
  key: string | undefined;
  body: unknown;
}

export interface IdempotentResponse<T> extends Response<T> {
  replayed: boolean;
}

interface StoredResponse<T> {
  request_hash: Buffer;
  status: number | null;
  response: T;
}

/**
 * Runs `work` at most once for a key. The key is claimed by a row of the same transaction: of concurrent duplicates one
 * inserts it and the rest wait for its commit, then replay its response.
 * @throws AppError `idempotency-mismatch` when the key came with another body before.
 */
export async function idempotent<T>(
  tx: Transaction,
  request: IdempotentRequest,
  work: () => Promise<Response<T>>,
): Promise<IdempotentResponse<T>> {
  const { scope, key } = request;
  if (key === undefined) return { ...(await work()), replayed: false };
  const hash = hashOf(request.body);
  const claimed = await tx.query(
    'INSERT INTO idempotency_keys (scope, key, request_hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
    [scope, key, hash],
  );
  if (claimed.rowCount === 0) return replay(tx, request, hash);
  const response = await work();
  await tx.query('UPDATE idempotency_keys SET status = $3, response = $4 WHERE scope = $1 AND key = $2', [
    scope,
    key,
    response.status,
    JSON.stringify(response.body),
  ]);
  return { ...response, replayed: false };
}

async function replay<T>(
  tx: Transaction,
  { scope, key }: IdempotentRequest,
  hash: Buffer,
): Promise<IdempotentResponse<T>> {
  const { rows } = await tx.query<StoredResponse<T>>(
    'SELECT request_hash, status, response FROM idempotency_keys WHERE scope = $1 AND key = $2',
    [scope, key],
  );
  const [stored] = rows;
  if (stored?.status == null) {
    throw new AppError('database-unavailable', 'the first request with this key has just expired', { retryable: true });
  }
  if (!stored.request_hash.equals(hash)) {
    throw new AppError(
      'idempotency-mismatch',
      `Idempotency-Key "${key}" was used with another body. Send the first body again, or use a new key for a new request.`,
    );
  }
  return { status: stored.status, body: stored.response, replayed: true };
}

function hashOf(body: unknown): Buffer {
  return createHash('sha256').update(JSON.stringify(body)).digest();
}
