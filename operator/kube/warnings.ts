import type { TransportResponse } from './transport.ts';

/** `299 - "text"` of RFC 7234, as the API server sends it. */
export function warningsOf(response: TransportResponse): string[] {
  const value = response.headers['warning'];
  const values = value === undefined ? [] : Array.isArray(value) ? value : [value];
  return values.flatMap((text) =>
    [...text.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) => (match[1] ?? '').replace(/\\(.)/g, '$1')),
  );
}

/** Reports each text once. */
export function once(report: (text: string) => void): (text: string) => void {
  const seen = new Set<string>();
  return (text) => {
    if (seen.has(text) || seen.size >= 1_000) return;
    seen.add(text);
    report(text);
  };
}
