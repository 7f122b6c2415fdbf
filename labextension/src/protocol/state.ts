/**
 * The governance state of a notebook, and what is configured, as they travel.
 *
 * Money is a decimal string in USD with at most nine decimals. The names are the wire's; the shapes are those of
 * `openapi.yaml`, which describes each field.
 */

import type { components } from './openapi';

export { isConfig, isError as isErrorBody, isState } from './bodies';

type Schemas = components['schemas'];

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
export type IGovernanceState = Schemas['State'];

/** What the server's administrator configured. */
export type IGovernanceConfig = Schemas['Config'];

/** A shared ceiling that stands otherwise than the server is configured. */
export type ICeilingDifference = Schemas['CeilingDifference'];

/** A ceiling's amount in USD and its period. */
export type ICeilingFigures = Schemas['CeilingFigures'];

/** How old the models' prices are. */
export type IPriceData = Schemas['PriceData'];

/** The body of an error response. */
export type IErrorBody = Schemas['Error'];
