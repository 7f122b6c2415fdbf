import { nullTranslator } from '@jupyterlab/translation';
import {
  eventWord,
  outcomeOf,
  requesterOf,
  shortOutcomeOf
} from '../../audit/recordWords';
import { verdictOf } from '../../words/verdicts';
import { sampleConfig } from '../support/samples';
import { sampleRecord } from '../support/waitingFakes';

const TRANS = nullTranslator.load('aumos_governance');

describe('the label of a record of an approval request', () => {
  it.each([
    ['approval_requested', null, null, {}, 'Waits for approval', 'none'],
    ['hold', null, 'APPROVAL_REQUIRED', {}, 'Waits for approval', 'none'],
    ['approve', 'allow', null, {}, 'Approved', 'allow'],
    ['refuse', 'deny', 'APPROVAL_DENIED', {}, 'Denied', 'deny'],
    ['withdraw', 'deny', 'APPROVAL_TIMEOUT', {}, 'Expired', 'deny'],
    ['withdraw', null, 'APPROVAL_WITHDRAWN', {}, 'Withdrawn', 'none'],
    ['limit_requested', null, null, {}, 'Waits at the limit', 'none'],
    ['limit_denied', 'deny', null, {}, 'Denied', 'deny'],
    ['limit_withdrawn', null, null, {}, 'Withdrawn', 'none'],
    // Earlier versions recorded it so.
    ['ask', 'allow', null, {}, 'Waits for approval', 'none'],
    ['hold', 'deny', 'APPROVAL_REQUIRED', {}, 'Waits for approval', 'none'],
    // The request could not be posted.
    [
      'hold',
      'deny',
      'APPROVAL_REQUIRED',
      { approval_requested: false },
      'Denied',
      'deny'
    ]
  ] as const)(
    '%s with the outcome %j and the code %j, %j: %s',
    (event, outcome, code, detail, words, verdict) => {
      const record = sampleRecord({ event, outcome, code, detail });
      expect(outcomeOf(record, TRANS)).toBe(words);
      expect(shortOutcomeOf(record, TRANS)).toBe(
        words.startsWith('Waits') ? 'Waits' : words
      );
      expect(verdictOf(record)).toBe(verdict);
    }
  );

  it.each([
    ['kernel', 'agent-7', 'Agent agent-7'],
    ['kernel', null, 'Kernel'],
    ['server', null, 'Server'],
    ['ada', null, 'You'],
    // A user's own action in an agent's session is shown as the user's.
    ['ada', 'agent-7', 'You'],
    ['grace', 'agent-7', 'User grace'],
    ['key:my script', null, 'Key my script'],
    ['terminal:1', null, 'Terminal 1'],
    ['run:python a.py --at 10:30', null, 'Command python a.py --at 10:30'],
    ['key', null, 'User key'],
    ['other:x', null, 'User other:x']
  ])('names who requested it: %s, agent %j: %s', (actor, agent_id, words) => {
    const config = { ...sampleConfig(), user: 'ada' };
    const record = sampleRecord({ actor, agent_id });
    expect(requesterOf(record, config, TRANS)).toBe(words);
  });

  it('names the request', () => {
    expect(eventWord('approval_requested', TRANS)).toBe('Approval requested');
    expect(eventWord('key_revoked', TRANS)).toBe('Key revoked');
  });
});
