/** What is said of audit records, in the reader's language. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { IAuditRecord, Outcome } from '../protocol/audit';

/** How something that was asked ended. */
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
      return trans.__('Opening');
    case 'change':
      return trans.__('Change');
    case 'close':
      return trans.__('Closing');
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
      return trans.__('Unresolved');
    case 'void':
      return trans.__('Void');
    case 'correct':
      return trans.__('Correction');
    case 'ask':
      return trans.__('Question');
    case 'approve':
      return trans.__('Approval');
    case 'refuse':
      return trans.__('Refusal');
    case 'withdraw':
      return trans.__('Withdrawal');
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
    default:
      return event;
  }
}

/** What a record is about, in one line. */
export function subjectOf(record: IAuditRecord): string {
  return record.tool ?? record.action_type ?? record.resource ?? '';
}

/** Whether a record is of a charge, of which something can be taken back. */
export function isCorrectable(record: IAuditRecord): boolean {
  return (
    record.charge_id !== null &&
    (record.event === 'spend' || record.event === 'settle') &&
    !/^(-.*|0(\.0*)?)$/.test(record.spent_delta)
  );
}
