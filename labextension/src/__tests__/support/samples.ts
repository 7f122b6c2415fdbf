/** The samples of the wire that pytest reads too. */

import approvals from '../../../../tests/protocol/rest_approvals.json';
import audit from '../../../../tests/protocol/rest_audit.json';
import configs from '../../../../tests/protocol/rest_config.json';
import corrections from '../../../../tests/protocol/rest_corrections.json';
import envelopes from '../../../../tests/protocol/rest_envelopes.json';
import errors from '../../../../tests/protocol/rest_error.json';
import events from '../../../../tests/protocol/event_state.json';
import holds from '../../../../tests/protocol/rest_holds.json';
import kernels from '../../../../tests/protocol/rest_kernels.json';
import limits from '../../../../tests/protocol/rest_limit_requests.json';
import money from '../../../../tests/protocol/money.json';
import reports from '../../../../tests/protocol/rest_reports.json';
import states from '../../../../tests/protocol/rest_state.json';
import type { IGovernanceConfig, IGovernanceState } from '../../protocol/state';

export {
  approvals,
  audit,
  configs,
  corrections,
  envelopes,
  errors,
  events,
  holds,
  kernels,
  limits,
  money,
  reports,
  states
};

export type StateName = keyof typeof states.valid;

/** A valid state of the samples, with some fields changed. */
export function sampleState(
  name: StateName,
  changes: Partial<IGovernanceState> = {}
): IGovernanceState {
  return { ...states.valid[name], ...changes };
}

/** A valid configuration of the samples. */
export function sampleConfig(
  name: keyof typeof configs.valid = 'defaults'
): IGovernanceConfig {
  return configs.valid[name] as IGovernanceConfig;
}
