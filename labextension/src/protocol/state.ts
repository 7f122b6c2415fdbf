/**
 * The bodies of a notebook's governance state and of the configuration.
 *
 * Money is a decimal string in USD with at most nine decimals. Names and shapes are those of
 * `openapi.yaml`, which describes each field.
 */

import type { components } from './openapi';

export { isConfig, isError as isErrorBody, isState } from './bodies';

type Schemas = components['schemas'];

/** The path of the REST API under the server's base URL. */
export const API_NAMESPACE = 'aumos-governance/v1';

/** The jupyter_events schema whose events carry a notebook's state. */
export const STATE_EVENT_SCHEMA =
  'https://aumos.dev/jupyter/governance/state/v1';

/** The `set_by` of values that the notebook's own `%governance` set. */
export const SET_BY_KERNEL = 'kernel';

/** The `set_by` of a session that the server opened by itself. */
export const SET_BY_SERVER = 'server';

/**
 * The governance state of one notebook.
 *
 * A closed session keeps its last figures with `active: false`; if none was ever opened, all but
 * `path`, `active` and `seq` is null.
 */
export type IGovernanceState = Schemas['State'];

/** The configuration by the server's administrator. */
export type IGovernanceConfig = Schemas['Config'];

/** A shared ceiling that differs from the server's configuration. */
export type ICeilingDifference = Schemas['CeilingDifference'];

/** A ceiling's amount in USD and its period. */
export type ICeilingFigures = Schemas['CeilingFigures'];

/** How old the models' prices are. */
export type IPriceData = Schemas['PriceData'];

/** The body of an error response. */
export type IErrorBody = Schemas['Error'];
