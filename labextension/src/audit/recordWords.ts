/** What is said of audit records, in the reader's language. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { IAuditRecord, Outcome } from '../protocol/audit';
import {
  type IGovernanceConfig,
  SET_BY_KERNEL,
  SET_BY_SERVER
} from '../protocol/state';
import { EXPIRED, verdictOf } from '../words/verdicts';

/** What a record says was decided, in words; for an approval how it ended. */
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

/** The same in a word, where the event stands beside it and says what is waited for. */
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

/** An outcome by its name, to choose among them. */
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

/** What happened; an event that is not known here by the server's own word. */
export function eventWord(event: string, trans: TranslationBundle): string {
  switch (event) {
    case 'open':
      return trans.__('Session started');
    case 'change':
      return trans.__('Change');
    case 'close':
      return trans.__('Session ended');
    case 'spend':
      return trans.__('Spend');
    case 'hold':
      return trans.__('Hold');
    case 'settle':
      return trans.__('Settlement');
    case 'release':
      return trans.__('Release');
    case 'adjust':
      return trans.__('Adjustment');
    case 'unresolved':
      return trans.__('Outcome unknown');
    case 'void':
      return trans.__('Void');
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
      return trans.__('Waits no longer');
    case 'expire':
      return trans.__('Hold expired');
    case 'budget':
      return trans.__('Budget');
    case 'trust':
      return trans.__('Trust level');
    case 'consent':
      return trans.__('Consent');
    case 'revoke':
      return trans.__('Revocation');
    case 'report':
      return trans.__('Report');
    case 'acknowledge':
      return trans.__('Acknowledgement');
    case 'evaluate':
      return trans.__('Check');
    case 'key_issued':
      return trans.__('Key issued');
    case 'key_bound':
      return trans.__('Notebook of a terminal chosen');
    case 'key_revoked':
      return trans.__('Key revoked');
    default:
      return event;
  }
}

/** What a record is about, in one line. */
export function subjectOf(record: IAuditRecord): string {
  return record.tool ?? record.action_type ?? record.resource ?? '';
}

/**
 * Who made the request that a record is of: an agent, the notebook's kernel, the server or a user.
 *
 * What a user did counts as the user's, although the session is that of an agent.
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

/** A client of the gateway, by its key; null for what is no key's. */
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

/** Whether a record is of a charge, of which something can be taken back. */
export function isCorrectable(record: IAuditRecord): boolean {
  return (
    record.charge_id !== null &&
    (record.event === 'spend' || record.event === 'settle') &&
    !/^(-.*|0(\.0*)?)$/.test(record.spent_delta)
  );
}
