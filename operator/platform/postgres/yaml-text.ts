import { createHash } from 'node:crypto';
import { stringify } from 'yaml';

/** One for each platform of the largest installation that is measured, and one more for those that change over to TLS. */
const MOST = 2_000;
const texts = new Map<string, string>();

/** Texts quoted, since Patroni's parser takes `off` for a boolean and `1e3` for text. */
function write(content: unknown): string {
  return stringify(content, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' });
}

/** The content as YAML. It is remembered, since to write it takes a fifth of a reconcile with nothing to do. */
export function yamlText(content: unknown): string {
  // In the order of its keys, in which they are written as well.
  const key = createHash('sha256').update(JSON.stringify(content)).digest('base64url');
  const text = texts.get(key) ?? write(content);
  // The last one asked for is the last one to be forgotten.
  texts.delete(key);
  texts.set(key, text);
  for (const oldest of texts.keys()) {
    if (texts.size <= MOST) break;
    texts.delete(oldest);
  }
  return text;
}
