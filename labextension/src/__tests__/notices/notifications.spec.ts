import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import type { IAuditApi } from '../../server/auditApi';
import { GovernanceNotifications } from '../../notices/notifications';
import { type INotice } from '../../notices/toasts';
import type { IAuditRecord } from '../../protocol/audit';
import type { IApproval, ILimitRequest } from '../../protocol/waiting';
import { GovernanceSettings } from '../../state/settings';
import { FakeModel } from '../support/fakes';
import { sampleConfig, sampleState } from '../support/samples';
import {
  sampleApproval,
  sampleLimit,
  sampleRecord
} from '../support/waitingFakes';

describe('GovernanceNotifications', () => {
  let model: FakeModel;
  let settings: GovernanceSettings;
  let denied: IAuditRecord[];
  let waiting: {
    entries: IApproval[];
    atLimit: ILimitRequest[];
    isKnown: boolean;
  };
  let changed: Signal<object, void>;
  let viewed: Signal<object, void>;
  let notifications: GovernanceNotifications;
  const notices: INotice[] = [];
  /** The notifications that the application shows or lists. */
  const open = new Set<{ notice: INotice }>();
  const onScreen = new Set<string>();
  /** The ids of requests whose card under the cell is on the screen. */
  const inView = new Set<string>();

  async function learn(...args: Parameters<typeof sampleState>): Promise<void> {
    model.learned.emit(sampleState(...args));
    await vi.advanceTimersByTimeAsync(1000);
  }

  /** Let a request wait for as long as a notification takes to appear. */
  function wait(changes: Partial<typeof waiting>): void {
    Object.assign(waiting, changes);
    changed.emit();
    vi.advanceTimersByTime(600);
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
    return notices.map(({ message }) => message.replace(/[\u2068\u2069]/g, ''));
  }

  beforeEach(() => {
    vi.useFakeTimers();
    notices.length = 0;
    open.clear();
    onScreen.clear();
    inView.clear();
    denied = [];
    model = new FakeModel();
    settings = new GovernanceSettings();
    changed = new Signal<object, void>({});
    viewed = new Signal<object, void>({});
    waiting = { entries: [], atLimit: [], isKnown: true };
    notifications = new GovernanceNotifications({
      model,
      audit: {
        records: (_: unknown, limit: number) =>
          Promise.resolve({ records: denied.slice(0, limit), cursor: null })
      } as unknown as IAuditApi,
      waiting: Object.assign(waiting, {
        changed,
        viewed,
        isInView: ({ id }: { id: string }) => inView.has(id)
      }),
      settings,
      notifier: {
        show: notice => {
          notices.push(notice);
          const shown = { notice };
          open.add(shown);
          return {
            update: next => {
              notices.push(next);
              shown.notice = next;
              open.add(shown);
            },
            dismiss: () => open.delete(shown)
          };
        }
      },
      isOnScreen: (section, path) => onScreen.has(`${section} ${path}`),
      trans: nullTranslator.load('aumos_governance')
    });
  });

  afterEach(() => {
    notifications.dispose();
    vi.useRealTimers();
  });

  it('notifies of the highest warning mark alone, in one notification', async () => {
    await learn('active', { spent: '1' });
    await learn('active', { spent: '5' });
    await learn('active', { spent: '6' });
    await learn('active', { spent: '8.5' });
    await learn('active', { spent: '8.6' });
    await learn('active', { spent: '10', remaining: '0' });
    expect(plain()).toEqual([
      'agents.ipynb: At least 50% of the budget is spent.',
      'agents.ipynb: At least 80% of the budget is spent.',
      'agents.ipynb: The whole budget is spent.'
    ]);
    expect(notices.every(({ section }) => section === 'budget')).toBe(true);
    expect(open.size).toBe(1);
  });

  it('counts what is spent, and not what is held', async () => {
    await learn('active', { spent: '0.01', held: '0', remaining: '9.99' });
    await learn('active', { spent: '0.01', held: '9.9', remaining: '0.09' });
    expect(notices).toEqual([]);
  });

  it.each([
    ['the budget was raised', { budget: '100', remaining: '91' }],
    ['what was spent is taken back', { spent: '1', remaining: '9' }],
    ['the session is closed', { active: false }],
    ['another session stands', { session_id: 'another', spent: '0' }]
  ])('withdraws a warning once %s', async (_, changes) => {
    await learn('active', { spent: '1' });
    await learn('active', { spent: '9' });
    expect(open.size).toBe(1);
    await learn('active', { spent: '9', ...changes });
    expect(open.size).toBe(0);
  });

  it('does not notify of what the panel shows', async () => {
    onScreen.add(`budget ${sampleState('active').path}`);
    onScreen.add(`audit ${sampleState('active').path}`);
    onScreen.add('approvals research/agents.ipynb');
    onScreen.add(`limits ${sampleLimit().notebook}`);
    await learn('active', { spent: '1' });
    deny('a');
    wait({ entries: [sampleApproval()], atLimit: [sampleLimit()] });
    await learn('active', { spent: '9' });
    expect(notices).toEqual([]);
  });

  it('takes a notice away once the panel shows what it is of', () => {
    wait({ entries: [sampleApproval({ id: 'x' })] });
    expect(open.size).toBe(1);
    onScreen.add('approvals research/agents.ipynb');
    notifications.dismissShown();
    expect(open.size).toBe(0);
  });

  it('does not notify of what has its card on the screen, and not when that is scrolled away', () => {
    // The card is drawn a moment after the page has the request.
    waiting.entries = [sampleApproval({ id: 'x' })];
    waiting.atLimit = [sampleLimit({ id: 'y' })];
    changed.emit();
    inView.add('x').add('y');
    viewed.emit();
    vi.advanceTimersByTime(5000);
    expect(notices).toEqual([]);
    inView.clear();
    viewed.emit();
    vi.advanceTimersByTime(5000);
    expect(notices).toEqual([]);
    wait({ entries: [...waiting.entries, sampleApproval({ id: 'z' })] });
    expect(plain()).toEqual([
      'agents.ipynb: shell waits for your approval ($0.05).'
    ]);
    inView.add('z');
    viewed.emit();
    expect(open.size).toBe(0);
  });

  it('notifies of calls that wait at a limit, until none does', () => {
    const notebook = 'other.ipynb';
    wait({ atLimit: [sampleLimit({ notebook, count: 1, needs: '0.4' })] });
    wait({
      atLimit: [
        ...waiting.atLimit,
        sampleLimit({ id: 'y', notebook, count: 3, needs: '2' })
      ]
    });
    const { tool } = sampleLimit();
    expect(plain()).toEqual([
      `other.ipynb: ${tool} waits at a limit and needs $0.40 more.`,
      `4 calls wait at a limit, among them ${tool} in other.ipynb.`
    ]);
    expect(notices[0]).toMatchObject({ section: 'limits', stays: true });
    wait({ atLimit: [] });
    expect(open.size).toBe(0);
  });

  it('notifies anew of calls of the same session that wait again', () => {
    inView.add(sampleLimit().id);
    wait({ atLimit: [sampleLimit()] });
    wait({ atLimit: [] });
    inView.clear();
    wait({ atLimit: [sampleLimit({ at: '2026-11-23T00:00:00Z' })] });
    expect(notices).toHaveLength(1);
  });

  it('takes a warning away once the panel shows the budget', async () => {
    await learn('active', { spent: '1' });
    await learn('active', { spent: '5' });
    notifications.dismissShown();
    expect(open.size).toBe(1);
    onScreen.add(`budget ${sampleState('active').path}`);
    notifications.dismissShown();
    expect(open.size).toBe(0);
    onScreen.clear();
    notifications.dismissShown();
    expect(open.size).toBe(0);
    await learn('active', { spent: '8' });
    expect(open.size).toBe(1);
  });

  it('shows two notices at most, the more urgent ones', async () => {
    await learn('active', { spent: '1' });
    deny('a');
    await learn('active', { spent: '9', seq: 9 });
    wait({
      entries: [sampleApproval({ id: 'x' }), sampleApproval({ id: 'y' })]
    });
    expect([...open].map(({ notice }) => notice.section)).toEqual([
      'audit',
      'approvals'
    ]);
    expect(plain().at(-1)).toBe(
      '2 actions wait for your approval, among them shell in agents.ipynb.'
    );
    expect(open.size).toBe(2);
  });

  it('notifies of an expired approval request, and not of one that a user denied', async () => {
    await learn('active', { seq: 5 });
    deny('a', { event: 'refuse', code: 'APPROVAL_DENIED', tool: 'mail' });
    await learn('active', { seq: 6 });
    deny('b', { event: 'withdraw', code: 'APPROVAL_TIMEOUT', tool: 'mail' });
    await learn('active', { seq: 7 });
    expect(plain()).toEqual([
      'agents.ipynb: mail expired, no decision in time.'
    ]);
  });

  it('does not notify of calls that a user denied at the limit', async () => {
    await learn('active', { seq: 5 });
    deny('a', { event: 'spend', code: 'BUDGET_EXCEEDED', tool: 'late' });
    deny('b', { event: 'limit_denied', code: null, detail: { calls: 2 } });
    deny('c', { event: 'spend', code: 'BUDGET_EXCEEDED' });
    await learn('active', { seq: 6 });
    expect(plain()).toEqual([]);
    deny('d', { event: 'spend', code: 'BUDGET_EXCEEDED', tool: 'later' });
    await learn('active', { seq: 7 });
    expect(plain()).toHaveLength(1);
  });

  it.each([
    [
      { amount: '40' },
      {},
      'Raise the budget, or lower the request.',
      'Raise Budget…'
    ],
    [
      { amount: '40' },
      { mayChange: false },
      'Ask the owner to raise the budget, or lower the request.',
      'Show'
    ],
    [
      { amount: '0.01' },
      {},
      'A shared ceiling has less left than the request needs: ask its administrator to raise it, or lower the request.',
      'Show'
    ],
    [
      { amount: '0.01', detail: { category: 'llm' } },
      {},
      'The budget llm, which is set in code, or a shared ceiling has less left than the request needs: lower the request.',
      'Show'
    ],
    [
      { amount: '40' },
      { config: sampleConfig('classroom') },
      'The server allows no budget that is large enough: lower the request.',
      'Show'
    ],
    [
      { code: 'TRUST_LEVEL_INSUFFICIENT' },
      {},
      'You can raise the trust level in the panel.',
      'Show'
    ]
  ])('gives advice for %j, where %j', async (changes, here, advice, action) => {
    model.show(sampleState('active'));
    model.become(here);
    await learn('active', { seq: 5 });
    deny('a', { code: 'BUDGET_EXCEEDED', ...changes });
    await learn('active', { seq: 6 });
    expect(plain()[0]).toContain(advice);
    expect(notices[0]?.action).toBe(action);
  });

  it('does not notify of a mark that was passed before the page loaded', async () => {
    await learn('active', { spent: '9' });
    expect(notices).toEqual([]);
  });

  it('notifies of a denial, and of several at once', async () => {
    deny('old');
    await learn('active', { seq: 5 });
    expect(notices).toEqual([]);
    deny('a');
    await learn('active', { seq: 6 });
    await learn('active', { seq: 7 });
    deny('b');
    deny('c', { tool: '<b>\nshell' });
    await learn('active', { seq: 8 });
    expect(plain()).toEqual([
      'agents.ipynb: gpt-4o denied. Would exceed budget ($7.00 > $1.75).',
      'agents.ipynb: 3 requests denied, the last for <b> shell.'
    ]);
  });

  it('notifies of an approval request until it is decided', () => {
    wait({ entries: [sampleApproval({ id: 'x' })] });
    wait({});
    expect(plain()).toEqual([
      'agents.ipynb: shell waits for your approval ($0.05).'
    ]);
    expect(notices[0]).toMatchObject({ section: 'approvals', stays: true });
    wait({ entries: [] });
    expect(open.size).toBe(0);
  });

  it('notifies of nothing that the settings exclude', async () => {
    settings.adopt({
      notifyOfApprovals: false,
      notifyOfDenials: false,
      notifyOfWarnings: false
    });
    await learn('active', { spent: '1' });
    deny('a');
    wait({ entries: [sampleApproval()], atLimit: [sampleLimit()] });
    await learn('active', { spent: '9' });
    expect(notices).toEqual([]);
  });

  it('does not notify twice for a notebook that shares a session', async () => {
    await learn('shared', { spent: '1' });
    await learn('shared', { spent: '9' });
    expect(notices).toEqual([]);
  });
});
