/** The labels of audit records in the language of the interface: events, outcomes, and who made the request. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { IAuditRecord, Outcome } from '../protocol/audit';
import {
  type IGovernanceConfig,
  SET_BY_KERNEL,
  SET_BY_SERVER
} from '../protocol/state';
import { EXPIRED, verdictOf } from '../words/verdicts';

/**
 * Return the label of a record's decision, for example "Denied"; for an approval request, how it ended, for example
 * "Expired".
 */
export function outcomeOf(
  record: IAuditRecord,
  trans: TranslationBundle
): string {
  switch (record.event) {
    case 'approve':
      return trans.__('Approved');
    case 'withdraw':
      return record.code === EXPIRED
        ? trans.__('Expired')
        : trans.__('Withdrawn');
    case 'limit_requested':
      return trans.__('Waits at the limit');
    case 'limit_withdrawn':
      return trans.__('Withdrawn');
  }
  const verdict = verdictOf(record);
  return verdict === 'none'
    ? trans.__('Waits for approval')
    : outcomeWord(verdict, trans);
}

/**
 * Return the label of a record's decision as a single word if possible, for the table, which shows the label of the
 * event beside it.
 */
export function shortOutcomeOf(
  record: IAuditRecord,
  trans: TranslationBundle
): string {
  const hasEnded = ['approve', 'withdraw', 'limit_withdrawn'].includes(
    record.event
  );
  return verdictOf(record) === 'none' && !hasEnded
    ? trans.__('Waits')
    : outcomeOf(record, trans);
}

/** Return the label of an outcome as the server names it (`allow`, `deny` or `allow_with_caveat`). */
export function outcomeWord(
  outcome: Outcome,
  trans: TranslationBundle
): string {
  switch (outcome) {
    case 'allow':
      return trans.__('Allowed');
    case 'deny':
      return trans.__('Denied');
    case 'allow_with_caveat':
      return trans.__('With caveat');
  }
}

/** Return the label of an event such as `hold`; for an event that this version does not know, the event's own name. */
export function eventWord(event: string, trans: TranslationBundle): string {
  switch (event) {
    case 'open':
      return trans.__('Session started');
    case 'change':
      return trans.__('Session changed');
    case 'close':
      return trans.__('Session ended');
    case 'spend':
      return trans.__('Spend');
    case 'hold':
      return trans.__('Hold');
    case 'settle':
      return trans.__('Hold settled');
    case 'release':
      return trans.__('Hold released');
    case 'adjust':
      return trans.__('Adjustment');
    case 'unresolved':
      return trans.__('Outcome unknown');
    case 'void':
      return trans.__('Charge voided');
    case 'correct':
      return trans.__('Correction');
    case 'approval_requested':
    case 'ask':
      return trans.__('Approval requested');
    case 'approve':
    case 'refuse':
      return trans.__('Approval decided');
    case 'withdraw':
      return trans.__('Approval ended');
    case 'limit_requested':
      return trans.__('Waits at the limit');
    case 'limit_denied':
      return trans.__('Denied at the limit');
    case 'limit_withdrawn':
      return trans.__('Stopped waiting');
    case 'expire':
      return trans.__('Hold expired');
    case 'budget':
      return trans.__('Budget set');
    case 'trust':
      return trans.__('Trust level set');
    case 'consent':
      return trans.__('Consent given');
    case 'revoke':
      return trans.__('Consent revoked');
    case 'report':
      return trans.__('Report');
    case 'acknowledge':
      return trans.__('Acknowledgement');
    case 'evaluate':
      return trans.__('Check');
    case 'configure':
      return trans.__('Ceilings configured');
    case 'ceiling':
      return trans.__('Ceiling changed');
    case 'enclose':
      return trans.__('Ceilings applied');
    case 'join':
      return trans.__('Notebooks merged');
    case 'key_issued':
      return trans.__('Key issued');
    case 'key_bound':
      return trans.__('Terminal assigned');
    case 'key_revoked':
      return trans.__('Key revoked');
    default:
      return event;
  }
}

/** Return the name of the tool, action or resource that a record is about; empty if the record has none. */
export function subjectOf(record: IAuditRecord): string {
  return record.tool ?? record.action_type ?? record.resource ?? '';
}

/**
 * Return the label of the actor whose request a record is about: an agent, the notebook's kernel, the server, a user or
 * a client of the gateway.
 *
 * If a user acted, it is the user, even in a session of an agent.
 */
export function requesterOf(
  record: IAuditRecord,
  config: IGovernanceConfig | null,
  trans: TranslationBundle
): string {
  switch (record.actor) {
    case SET_BY_KERNEL:
      return record.agent_id
        ? trans.__('Agent %1', record.agent_id)
        : trans.__('Kernel');
    case SET_BY_SERVER:
      return trans.__('Server');
    default:
      return config?.user === record.actor
        ? trans.__('You')
        : (clientOf(record.actor, trans) ?? trans.__('User %1', record.actor));
  }
}

/**
 * Return the label of the gateway's client whose key the actor is, such as `Terminal 1`; null if `actor` names no key.
 */
function clientOf(actor: string, trans: TranslationBundle): string | null {
  const [kind, ...name] = actor.split(':');
  switch (name.length && kind) {
    case 'key':
      return trans.__('Key %1', name.join(':'));
    case 'terminal':
      return trans.__('Terminal %1', name.join(':'));
    case 'run':
      return trans.__('Command %1', name.join(':'));
    default:
      return null;
  }
}

/** Whether a record is about a charge that a user can correct. */
export function isCorrectable(record: IAuditRecord): boolean {
  return (
    record.charge_id !== null &&
    (record.event === 'spend' || record.event === 'settle') &&
    !/^(-.*|0(\.0*)?)$/.test(record.spent_delta)
  );
}
