import type { Scope } from '../core/component.ts';
import type { EffectivePostgres } from '../core/effective.ts';
import { tier } from '../schema/tiers.ts';
import type { Observed } from './observe.ts';
import { type BadParameter, badParameters } from './parameter-check.ts';

/** The parameters that the resource itself sets, as text. */
export function ownParameters({ platform }: Pick<Scope, 'platform'>): Readonly<Record<string, string>> {
  const own = Object.entries(platform.spec?.postgres?.parameters ?? {});
  return Object.fromEntries(own.map(([name, value]) => [name, String(value)]));
}

/** What of the resource's parameters is left out; empty while Postgres has not been asked. */
export function leftOut(scope: Scope, { parameterFacts }: Observed): BadParameter[] {
  return parameterFacts?.ok === true ? badParameters(ownParameters(scope), parameterFacts.value) : [];
}

/**
 * Postgres with the parameters that it can use: in place of one that it cannot there is the tier's, or Postgres' own default. Undefined while
 * it has not been asked about them: what nobody has looked at is given to no running database.
 */
export function usable(scope: Scope, observed: Observed): EffectivePostgres | undefined {
  const { effective } = scope;
  if (Object.keys(ownParameters(scope)).length === 0) return effective.postgres;
  if (observed.parameterFacts?.ok !== true) return undefined;
  const parameters: Record<string, string> = { ...effective.postgres.parameters };
  for (const { name } of leftOut(scope, observed)) {
    const instead = insteadOf(scope, name);
    if (instead === undefined) delete parameters[name];
    else parameters[name] = instead;
  }
  return { ...effective.postgres, parameters };
}

/** The tier's value of a parameter; undefined where it leaves it to Postgres. */
export function insteadOf({ effective }: Pick<Scope, 'effective'>, name: string): string | undefined {
  const parameters: Readonly<Record<string, string>> = tier(effective.tier).postgres.parameters;
  return parameters[name];
}
