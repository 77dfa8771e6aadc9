import { randomInt } from 'node:crypto';

/** Gives a random string of that many letters and digits. */
export type RandomString = (length: number) => string;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** From the system's cryptographic source; 32 characters are 190 bits. Safe in URLs and configuration files without quoting. */
export const secureRandomString: RandomString = (length) =>
  Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
