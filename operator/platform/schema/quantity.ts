// Kubernetes quantities: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/

const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL = ['m', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const PATTERN = /^(\d+)(?:\.(\d{1,3}))?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/;

interface Quantity {
  /** Thousandths of a core or of a byte, rounded up as Kubernetes does. */
  readonly milli: bigint;
  readonly binary: boolean;
}

function parse(text: string): Quantity {
  const match = PATTERN.exec(text);
  if (match === null) throw new RangeError(`not a quantity: ${text}`);
  const [, whole = '', fraction = '', suffix = ''] = match;
  const thousandths = BigInt(whole + fraction.padEnd(3, '0'));
  const binaryPower = BINARY.indexOf(suffix) + 1;
  const milliPerUnit =
    binaryPower > 0 ? 1000n * 1024n ** BigInt(binaryPower) : 1000n ** BigInt(DECIMAL.indexOf(suffix));
  return { milli: (thousandths * milliPerUnit + 999n) / 1000n, binary: binaryPower > 0 };
}

/**
 * The form in which the API server itself writes a quantity ("1024Mi" is "1Gi", "0.5" is "500m"), so that what is applied equals what
 * is read back.
 */
export function canonicalQuantity(value: string | number): string {
  const { milli, binary } = parse(String(value));
  if (milli === 0n) return '0';
  if (binary && milli % 1000n === 0n) return shortest(milli / 1000n, 1024n, ['', ...BINARY]);
  return shortest(milli, 1000n, DECIMAL);
}

function shortest(value: bigint, base: bigint, suffixes: readonly string[]): string {
  let rest = value;
  let power = 0;
  while (rest % base === 0n && power < suffixes.length - 1) {
    rest /= base;
    power += 1;
  }
  return `${rest}${suffixes[power] ?? ''}`;
}

/** Negative, zero or positive, as for `Array.sort`. */
export function compareQuantities(a: string | number, b: string | number): number {
  const difference = parse(String(a)).milli - parse(String(b)).milli;
  return difference < 0n ? -1 : Number(difference > 0n);
}

/** Whole bytes of a quantity of memory or storage. */
export function bytesOf(value: string | number): number {
  return Number(parse(String(value)).milli) / 1000;
}
