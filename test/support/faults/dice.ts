import { createHash } from 'node:crypto';

/** A number from 0 up to 1 that depends on what it is for and on nothing else, so that the order of requests changes no decision. */
export function roll(...about: readonly (string | number)[]): number {
  return createHash('sha256').update(about.join('\n')).digest().readUInt32BE(0) / 2 ** 32;
}

/** One of the choices, by the same rule. */
export function pick<T>(choices: readonly T[], ...about: readonly (string | number)[]): T {
  const choice = choices[Math.floor(roll('pick', ...about) * choices.length)];
  if (choice === undefined) throw new RangeError('there is nothing to choose from');
  return choice;
}
