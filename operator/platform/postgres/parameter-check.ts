import type { ParameterFact, ParameterFacts } from './parameter-facts.ts';

/** A parameter that Postgres could not use as it is. */
export interface BadParameter {
  readonly name: string;
  readonly value: string;
  /** Follows on `is 'banana', `. */
  readonly why: string;
}

/** Pure: which of the parameters of a resource cannot be, and why. */
export function badParameters(wanted: Readonly<Record<string, string>>, facts: ParameterFacts): BadParameter[] {
  return Object.entries(wanted).flatMap(([name, value]) => {
    const why = whyBad(name, value, facts);
    return why === undefined ? [] : [{ name, value, why }];
  });
}

function whyBad(name: string, value: string, { known, refused, missingLibraries }: ParameterFacts): string | undefined {
  const fact = known.find((one) => one.name === name);
  // A parameter with a dot belongs to an extension, which may be loaded later.
  if (fact === undefined) return name.includes('.') ? undefined : 'and Postgres has no parameter of this name';
  if (fact.context === 'internal') return 'and Postgres lets nobody set it';
  const refusal = refused.find((one) => one.name === name);
  if (refusal !== undefined) return `which Postgres refuses: ${refusal.why}`;
  if (name.endsWith('_preload_libraries')) {
    const absent = missingLibraries.filter((library) => value.includes(library));
    if (absent.length > 0)
      return `and the image has no library ${absent.join(', ')}, without which no member would start`;
  }
  return whyNotOfType(value.trim(), fact);
}

const BOOLEAN = /^(on|of|off|t|tr|tru|true|f|fa|fal|fals|false|y|ye|yes|n|no|1|0)$/i;

function whyNotOfType(value: string, fact: ParameterFact): string | undefined {
  switch (fact.vartype) {
    case 'bool':
      return BOOLEAN.test(value) ? undefined : 'which is neither "on" nor "off"';
    case 'enum':
      return fact.values?.includes(value.toLowerCase()) === true || BOOLEAN.test(value)
        ? undefined
        : `which is none of ${fact.values?.join(', ')}`;
    case 'integer':
    case 'real':
      return whyNoAmount(value, fact);
    default:
      return undefined;
  }
}

const AMOUNT = /^([+-]?(?:0x[0-9a-f]+|\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?))\s*([a-z]*)$/i;
/** Bytes and milliseconds. */
const MEMORY: Readonly<Record<string, number>> = { B: 1, kB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 };
const TIME: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function whyNoAmount(value: string, { unit, min, max }: ParameterFact): string | undefined {
  const units = unitsOf(unit);
  const example = units === undefined ? 'a number' : `a number with one of the units ${Object.keys(units).join(', ')}`;
  const match = AMOUNT.exec(value);
  if (match === null) return `which is not ${example}`;
  const [, digits = '', given = ''] = match;
  const perUnit = given === '' ? 1 : ratio(units, given, unit);
  if (perUnit === undefined) return `whose unit ${given} is not known here: it must be ${example}`;
  const amount = Number(digits) * perUnit;
  const isOutside = (min !== null && amount < Number(min) - 0.5) || (max !== null && amount > Number(max) + 0.5);
  return isOutside
    ? `which must be from ${min ?? 'any'} to ${max ?? 'any'}${unit === null ? '' : `, counted in ${unit}`}`
    : undefined;
}

function unitsOf(unit: string | null): Readonly<Record<string, number>> | undefined {
  if (unit === null) return undefined;
  return unit.endsWith('B') ? MEMORY : TIME;
}

/** How many of the parameter's own units (e.g. `8kB`) one of the given unit is. */
function ratio(
  units: Readonly<Record<string, number>> | undefined,
  given: string,
  unit: string | null,
): number | undefined {
  const [, count = '', base = ''] = /^(\d*)(.*)$/.exec(unit ?? '') ?? [];
  const [from, to] = [units?.[given], units?.[base]];
  return from === undefined || to === undefined ? undefined : from / (to * Number(count === '' ? 1 : count));
}
