import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

/** A way by which results come back. */
export type Backend = 'rpc' | 'redis';
export const BACKENDS = ['rpc', 'redis'] as const;

const DOCUMENT = join(import.meta.dirname, '../../../docs/tasks.md');

/**
 * The checks of one direction. Each is a test, and a line of the table in docs/tasks.md, which a last test keeps true;
 * with WRITE_DOCS=1 it writes the table instead.
 */
export class Checks<Side> {
  readonly #direction: string;
  readonly #side: (backend: Backend) => Side;
  readonly #lines = new Map<string, Backend[]>();

  constructor(direction: string, side: (backend: Backend) => Side) {
    this.#direction = direction;
    this.#side = side;
  }

  /** With the given ways to get a result, or with both. */
  check(
    feature: string,
    behaviour: string,
    run: (side: Side) => Promise<void>,
    backends: readonly Backend[] = BACKENDS,
  ): void {
    this.#lines.set(`${feature} | ${behaviour}`, [...backends]);
    for (const backend of backends) it(`${feature}: ${behaviour} (${backend})`, () => run(this.#side(backend)));
  }

  /** To be called after all checks. */
  documented(): void {
    it('docs/tasks.md lists these checks (WRITE_DOCS=1 writes them there)', () => {
      const begin = `<!-- ${this.#direction} -->\n`;
      const end = '<!-- end -->';
      const text = readFileSync(DOCUMENT, 'utf8');
      const from = text.indexOf(begin) + begin.length;
      const to = text.indexOf(end, from);
      if (process.env['WRITE_DOCS']) writeFileSync(DOCUMENT, text.slice(0, from) + this.#table() + text.slice(to));
      else expect(text.slice(from, to)).to.equal(this.#table());
    });
  }

  #table(): string {
    const lines = [...this.#lines].map(([line, backends]) => `| ${line} | ${backends.map(nameOf).join(', ')} |\n`);
    return `| | | results by |\n|---|---|---|\n${lines.join('')}`;
  }
}

function nameOf(backend: Backend): string {
  return backend === 'rpc' ? '`rpc://`' : 'Redis';
}
