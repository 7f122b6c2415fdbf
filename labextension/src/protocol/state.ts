/**
 * Types and guards of the bodies of a notebook's governance state and of the configuration.
 *
 * Money is a decimal string in USD with at most nine decimals. Names and shapes are those of
 * `openapi.yaml`, which describes each field.
 */

import type { components } from './openapi';

export { isConfig, isError as isErrorBody, isState } from './bodies';

type Schemas = components['schemas'];

/** The path of the REST API under the server's base URL. */
export const API_NAMESPACE = 'aumos-governance/v1';

/** The id of the jupyter_events schema of events with a notebook's state. */
export const STATE_EVENT_SCHEMA =
  'https://aumos.dev/jupyter/governance/state/v1';

/** The value of `set_by` if the notebook's own `%governance` set the values. */
export const SET_BY_KERNEL = 'kernel';

/** The value of `set_by` if the server opened the session by its configuration. */
export const SET_BY_SERVER = 'server';

/**
 * The governance state of one notebook.
 *
 * After a session is closed, its last figures stay, with `active: false`; if no session was ever opened, all fields but
 * `path`, `active` and `seq` are null.
 */
export type IGovernanceState = Schemas['State'];

/** The configuration that the server's administrator set. */
export type IGovernanceConfig = Schemas['Config'];

/** A shared ceiling that differs from the server's configuration. */
export type ICeilingDifference = Schemas['CeilingDifference'];

/** A ceiling's amount in USD and its period. */
export type ICeilingFigures = Schemas['CeilingFigures'];

/** How old the models' prices are. */
export type IPriceData = Schemas['PriceData'];

/** The body of an error response. */
export type IErrorBody = Schemas['Error'];
