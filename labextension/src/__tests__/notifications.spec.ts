import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import type { IAuditApi } from '../server/auditApi';
import { GovernanceNotifications, type INotice } from '../notifications';
import type { IAuditRecord } from '../protocol/audit';
import type { IApproval } from '../protocol/waiting';
import { GovernanceSettings } from '../state/settings';
import type { IWaitingApprovals } from '../state/waitingApprovals';
import { FakeModel } from './support/fakes';
import { sampleState } from './support/samples';
import { sampleApproval, sampleRecord } from './support/waitingFakes';

describe('GovernanceNotifications', () => {
  let model: FakeModel;
  let settings: GovernanceSettings;
  let denied: IAuditRecord[];
  let waiting: { entries: IApproval[]; isKnown: boolean };
  let approvals: IWaitingApprovals;
  let changed: Signal<object, void>;
  let notifications: GovernanceNotifications;
  const told: INotice[] = [];
  const dismissed: INotice[] = [];

  async function learn(...args: Parameters<typeof sampleState>): Promise<void> {
    model.learned.emit(sampleState(...args));
    await vi.advanceTimersByTimeAsync(1000);
  }

  function deny(id: string, changes: Partial<IAuditRecord> = {}): void {
    denied.unshift(
      sampleRecord({
        record_id: id,
        outcome: 'deny',
        tool: 'gpt-4o',
        reasons: ['Would exceed budget ($7.00 > $1.75)'],
        ...changes
      })
    );
  }

  function plain(): string[] {
    return told.map(({ message }) => message.replace(/[\u2068\u2069]/g, ''));
  }

  beforeEach(() => {
    vi.useFakeTimers();
    told.length = 0;
    dismissed.length = 0;
    denied = [];
    model = new FakeModel();
    settings = new GovernanceSettings();
    changed = new Signal<object, void>({});
    waiting = { entries: [], isKnown: true };
    approvals = Object.assign(waiting, { changed });
    notifications = new GovernanceNotifications({
      model,
      audit: {
        records: (_: unknown, limit: number) =>
          Promise.resolve({ records: denied.slice(0, limit), cursor: null })
      } as unknown as IAuditApi,
      approvals,
      settings,
      notifier: {
        tell: notice => {
          told.push(notice);
          return () => dismissed.push(notice);
        }
      },
      trans: nullTranslator.load('aumos_governance')
    });
  });

  afterEach(() => {
    notifications.dispose();
    vi.useRealTimers();
  });

  it('tells of each warning mark once', async () => {
    await learn('active', { spent: '1' });
    await learn('active', { spent: '5' });
    await learn('active', { spent: '6' });
    await learn('active', { spent: '8.5' });
    await learn('active', { spent: '8.6' });
    await learn('active', { spent: '10', remaining: '0' });
    expect(plain()).toEqual([
      'agents.ipynb: At least 50% of the budget is used.',
      'agents.ipynb: At least 80% of the budget is used.',
      'agents.ipynb: The budget is used up.'
    ]);
    expect(told.every(({ section }) => section === 'budget')).toBe(true);
  });

  it('does not tell of what was passed before the page knew', async () => {
    await learn('active', { spent: '9' });
    expect(told).toEqual([]);
  });

  it('tells of a denial, and of several at once', async () => {
    deny('old');
    await learn('active', { seq: 5 });
    expect(told).toEqual([]);
    deny('a');
    await learn('active', { seq: 6 });
    await learn('active', { seq: 7 });
    deny('b');
    deny('c', { tool: '<b>\nshell' });
    await learn('active', { seq: 8 });
    expect(plain()).toEqual([
      'agents.ipynb: gpt-4o was denied. Would exceed budget ($7.00 > $1.75)',
      'agents.ipynb: 2 times something was denied, lately <b> shell. Would exceed budget ($7.00 > $1.75)'
    ]);
  });

  it('tells of an approval until it is answered', () => {
    waiting.entries = [sampleApproval({ id: 'x' })];
    changed.emit();
    changed.emit();
    expect(plain()).toEqual([
      'agents.ipynb: shell waits for your approval ($0.05).'
    ]);
    expect(told[0]).toMatchObject({ section: 'approvals', stays: true });
    waiting.entries = [];
    changed.emit();
    expect(dismissed).toEqual(told);
  });

  it('tells nothing that the person does not want to be told', async () => {
    settings.adopt({
      notifyOfApprovals: false,
      notifyOfDenials: false,
      notifyOfWarnings: false
    });
    await learn('active', { spent: '1' });
    deny('a');
    waiting.entries = [sampleApproval()];
    changed.emit();
    await learn('active', { spent: '9' });
    expect(told).toEqual([]);
  });

  it('says nothing twice for a notebook that shares a session', async () => {
    await learn('shared', { spent: '1' });
    await learn('shared', { spent: '9' });
    expect(told).toEqual([]);
  });
});
