/**
 * What the server says: the bodies of its REST answers and events, as they travel.
 *
 * Money is a decimal string in USD with at most nine decimals. The names are the wire's.
 */

import { isCount, isDecimal, isNullOr, isRecord, isString } from './guards';

/** Where the REST API lives under the server's base URL. */
export const API_NAMESPACE = 'aumos-governance/v1';

/** The jupyter_events schema whose events carry a notebook's state. */
export const STATE_EVENT_SCHEMA =
  'https://aumos.dev/jupyter/governance/state/v1';

/** The `set_by` of what the notebook's own `%governance` set. */
export const SET_BY_KERNEL = 'kernel';

/** The `set_by` of what stands because the server opened the session by itself. */
export const SET_BY_SERVER = 'server';

/**
 * The governance state of one notebook.
 *
 * A closed session keeps its last figures with `active: false`; where none was ever opened, all but
 * `path`, `active` and `seq` is null.
 */
export interface IGovernanceState {
  readonly path: string;
  readonly active: boolean;
  readonly session_id: string | null;
  readonly trust_level: number | null;
  readonly trust_label: string | null;
  readonly budget: string | null;
  readonly spent: string | null;
  readonly held: string | null;
  readonly remaining: string | null;
  readonly over: string | null;
  readonly agent_id: string | null;
  /** `kernel`, `server`, or the name of the person who set what stands. */
  readonly set_by: string | null;
  /** The notebook whose session this one shares, as both run on one kernel. */
  readonly shared_with: string | null;
  /** Counts the changes of this notebook's state; never falls. */
  readonly seq: number;
}

/** What the server's administrator configured. */
export interface IGovernanceConfig {
  readonly version: string;
  readonly default_budget: string;
  readonly default_trust_level: number;
  readonly max_budget: string | null;
  readonly max_trust_level: number;
  /** Fractions of the budget at which the person is warned. */
  readonly warn_at: readonly string[];
  readonly strict: boolean;
  readonly autostart: boolean;
  /** The name under which records show the user of a server whose users have no names; else null. */
  readonly user?: string | null;
  /** The models' prices in the server's environment; null where genai-prices is not installed. */
  readonly price_data: IPriceData | null;
  /** Ceilings shared with other servers that stand otherwise than this one is configured. */
  readonly ceilings_differ: readonly ICeilingDifference[];
}

/** A shared ceiling that stands otherwise than the server is configured. */
export interface ICeilingDifference {
  readonly name: string;
  readonly kind: string;
  readonly configured: ICeilingFigures | null;
  /** Empty where it was lifted. */
  readonly stands: readonly ICeilingFigures[];
}

/** A ceiling's amount in USD and its period. */
export interface ICeilingFigures {
  readonly limit: string;
  readonly period: string;
}

/** How old the models' prices are. */
export interface IPriceData {
  /** `installed` or `fetched`. */
  readonly source: string;
  /** Of genai-prices. */
  readonly version: string;
  /** A day in ISO 8601. */
  readonly as_of: string;
  readonly age_days: number;
  /** Older than 90 days. */
  readonly old: boolean;
}

/** The body of an error answer. */
export interface IErrorBody {
  readonly code: string;
  readonly message: string;
}

/** Whether a value is a state body. */
export function isState(value: unknown): value is IGovernanceState {
  return (
    isRecord(value) &&
    typeof value.path === 'string' &&
    typeof value.active === 'boolean' &&
    isCount(value.seq) &&
    ['session_id', 'trust_label', 'agent_id', 'set_by', 'shared_with'].every(
      name => isNullOr(value[name], isString)
    ) &&
    isNullOr(value.trust_level, isCount) &&
    ['budget', 'spent', 'held', 'remaining', 'over'].every(name =>
      isNullOr(value[name], isDecimal)
    ) &&
    (!value.active || (isDecimal(value.budget) && isDecimal(value.spent)))
  );
}

/** Whether a value is an event of ours; it then carries a state body's fields. */
export function isStateEvent(
  value: unknown
): value is IGovernanceState & { readonly schema_id: string } {
  return (
    isRecord(value) && value.schema_id === STATE_EVENT_SCHEMA && isState(value)
  );
}

/** Whether a value is a config body. */
export function isConfig(value: unknown): value is IGovernanceConfig {
  return (
    isRecord(value) &&
    typeof value.version === 'string' &&
    isDecimal(value.default_budget) &&
    isCount(value.default_trust_level) &&
    isNullOr(value.max_budget, isDecimal) &&
    isCount(value.max_trust_level) &&
    Array.isArray(value.warn_at) &&
    value.warn_at.every(isDecimal) &&
    typeof value.strict === 'boolean' &&
    typeof value.autostart === 'boolean' &&
    Array.isArray(value.ceilings_differ) &&
    isNullOr(value.user ?? null, isString)
  );
}

/** Whether a value is the body of an error answer. */
export function isErrorBody(value: unknown): value is IErrorBody {
  return (
    isRecord(value) &&
    typeof value.code === 'string' &&
    typeof value.message === 'string'
  );
}
