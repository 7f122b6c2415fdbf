/**
 * The types of the server's responses about a notebook's governance state and about the configuration, and the guards
 * that check them.
 *
 * Money is a decimal string in USD with at most nine decimals. Names and shapes are those of `openapi.yaml`, which
 * describes each field.
 */

import type { components } from './openapi';

export { isConfig, isError as isErrorBody, isState } from './bodies';

type Schemas = components['schemas'];

/** The path of this extension's REST API below the server's base URL. */
export const API_NAMESPACE = 'aumos-governance/v1';

/** The id of the event schema of Jupyter Server's events that carry a notebook's state. */
export const STATE_EVENT_SCHEMA =
  'https://aumos.dev/jupyter/governance/state/v1';

/** The value of `set_by` if code in the notebook, such as `%governance`, set trust level and budget. */
export const SET_BY_KERNEL = 'kernel';

/** The value of `set_by` if the server opened the session on its own, as its configuration says. */
export const SET_BY_SERVER = 'server';

/**
 * The governance state of one notebook.
 *
 * After its session was closed, the last figures stay, with `active: false`. If no session was ever opened, all fields
 * but `path`, `active` and `seq` are null.
 */
export type IGovernanceState = Schemas['State'];

/** The configuration that the server's administrator has set, and the name of the page's user. */
export type IGovernanceConfig = Schemas['Config'];

/** A shared ceiling whose amount or period differs from the server's configuration. */
export type ICeilingDifference = Schemas['CeilingDifference'];

/** The amount of a ceiling in USD, and the period for which it is available. */
export type ICeilingFigures = Schemas['CeilingFigures'];

/** Where the prices of models come from, and how old they are. */
export type IPriceData = Schemas['PriceData'];

/** The body of an error response: a code and a sentence for the user. */
export type IErrorBody = Schemas['Error'];
