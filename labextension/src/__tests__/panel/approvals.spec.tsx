import { nullTranslator } from '@jupyterlab/translation';
import type { ReactWidget } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import React from 'react';
import { DecisionDialog } from '../../decisions/decisionDialog';
import { approvalsSection } from '../../panel/sections/approvals';
import { reportsSection } from '../../panel/sections/reports';
import type { IPanelApi, IPanelSection, ISectionProps } from '../../tokens';
import { WaitingApprovals } from '../../state/waitingApprovals';
import { WaitingReports } from '../../state/waitingReports';
import { Notation } from '../../words/notation';
import { Drawing, drawn } from '../support/drawing';
import { FakeModel, unreachable } from '../support/fakes';
import { userPresses } from '../support/user';
import { sampleState } from '../support/samples';
import {
  FakeTrail,
  FakeWaiting,
  sampleApproval,
  sampleReport
} from '../support/waitingFakes';

const trans = nullTranslator.load('aumos_governance');
const PATH = 'research/agents.ipynb';

describe('the sections of what waits', () => {
  let model: FakeModel;
  let server: FakeWaiting;
  let widget: ReactWidget;

  async function show(section: IPanelSection): Promise<void> {
    const { Body } = section;
    const props = {
      model,
      trans,
      path: PATH,
      state: null,
      api: {} as IPanelApi
    };
    widget = new Drawing(() => <Body {...props} />);
    section.changed?.connect(() => widget.update());
    Widget.attach(widget, document.body);
    await drawn(widget, () => widget.update());
    await drawn(widget, () => vi.advanceTimersByTime(500));
  }

  async function showApprovals(): Promise<WaitingApprovals> {
    const store = new WaitingApprovals({
      api: server.api,
      audit: new FakeTrail().api,
      model
    });
    const decisions = new DecisionDialog({
      highlight: null,
      model,
      navigation: {
        open: () => Promise.resolve(),
        goTo: () => Promise.resolve()
      },
      notation: new Notation(),
      store,
      trans
    });
    await show(approvalsSection(store, decisions, null));
    return store;
  }

  const cards = (): HTMLElement[] => [
    ...widget.node.querySelectorAll<HTMLElement>('.aumos-Card')
  ];

  function button(text: string, card = 0): HTMLButtonElement {
    const found = [...(cards()[card]?.querySelectorAll('button') ?? [])].find(
      one => one.textContent === text
    );
    if (!found) {
      throw new Error(`There is no button "${text}".`);
    }
    return found;
  }

  /** A button of the decision dialog. */
  function decision(text: string): HTMLButtonElement {
    const found = [...document.querySelectorAll('dialog button')].find(
      one => one.textContent === text
    );
    if (!(found instanceof HTMLButtonElement)) {
      throw new Error(`The dialog has no button "${text}".`);
    }
    return found;
  }

  /** Press a card's button, and let the dialog be visible for a while. */
  async function opens(text: string, card = 0): Promise<void> {
    await drawn(widget, () => userPresses(button(text, card)));
    await drawn(widget, () => vi.advanceTimersByTime(500));
  }

  it('leave no gap while the server does not respond', async () => {
    server.failure = unreachable();
    await showApprovals();
    expect(widget.node.textContent).toBe(
      'Approval requests are shown once the server responds.'
    );
  });

  beforeEach(() => {
    vi.useFakeTimers({
      now: Date.parse('2026-11-22T12:03:00Z'),
      toFake: ['Date', 'setInterval', 'setTimeout', 'clearTimeout'],
      shouldAdvanceTime: true,
      advanceTimeDelta: 5
    });
    model = new FakeModel();
    server = new FakeWaiting();
  });

  afterEach(() => {
    widget.dispose();
    document.querySelectorAll('dialog').forEach(dialog => dialog.close());
    vi.useRealTimers();
  });

  it('show exactly what is requested', async () => {
    server.waiting = [
      sampleApproval({
        shown: {
          tool: 'shell',
          cost: '0.050',
          level: 'as root',
          code: 'clean()',
          arguments: { command: 'rm -r build', force: true },
          nothing: null
        }
      })
    ];
    await showApprovals();
    const [card] = cards();
    expect(card?.querySelector('.aumos-Card-heading')?.textContent).toBe(
      'shell$0.05'
    );
    expect(card?.querySelector('.aumos-Card-origin')?.textContent).toBe(
      'agent-7In [4]2 min ago2 min left'
    );
    const terms = [...(card?.querySelectorAll('.aumos-Shown > *') ?? [])];
    expect(terms.map(node => node.textContent)).toEqual([
      'Arguments',
      'commandrm -r buildforcetrue',
      'Code',
      'clean()',
      'level',
      'as root'
    ]);
  });

  it('show what contradicts the heading, too', async () => {
    server.waiting = [
      sampleApproval({ shown: { tool: 'harmless', cost: '0.01' } })
    ];
    await showApprovals();
    expect(cards()[0]?.querySelector('.aumos-Shown')?.textContent).toBe(
      'ToolharmlessCost0.01'
    );
  });

  it('are decided by a user’s click, and by no other', async () => {
    server.waiting = [sampleApproval()];
    await showApprovals();
    await drawn(widget, () => button('Approve…').click());
    expect(document.querySelector('dialog')).toBeNull();
    await opens('Approve…');
    await drawn(widget, () => decision('Approve').click());
    expect(server.decisions).toEqual([]);
    await drawn(widget, () => userPresses(decision('Approve')));
    expect(server.decisions).toEqual([
      [sampleApproval().id, 'approve', expect.any(String)]
    ]);
    await drawn(widget, () => widget.update());
    expect(cards()).toEqual([]);
    expect(widget.node.querySelector('.aumos-Decided')?.textContent).toBe(
      '\u2068shell\u2069: approved by \u2068ada\u2069'
    );
  });

  it('cannot be decided when they have only just come into view', async () => {
    server.waiting = [sampleApproval({ id: 'a' })];
    await showApprovals();
    await drawn(widget, () => userPresses(button('Deny…')));
    await drawn(widget, () => userPresses(decision('Deny')));
    expect(server.decisions).toEqual([]);
    await drawn(widget, () => vi.advanceTimersByTime(500));
    await drawn(widget, () => userPresses(decision('Deny')));
    expect(server.decisions).toMatchObject([['a', 'deny', expect.any(String)]]);
    expect(document.querySelector('dialog')).toBeNull();
  });

  it('decide one at a time, and lead to no button', async () => {
    server.waiting = [sampleApproval({ id: 'a' }), sampleApproval({ id: 'b' })];
    await showApprovals();
    await opens('Approve…');
    await opens('Approve…', 1);
    expect(document.querySelectorAll('dialog')).toHaveLength(1);
    expect(document.activeElement).toBe(
      document.querySelector('.aumos-Decision-title')
    );
  });

  it('end in the dialog what was decided elsewhere', async () => {
    server.waiting = [sampleApproval({ id: 'a' })];
    const store = await showApprovals();
    await opens('Deny…');
    server.waiting.shift();
    await drawn(widget, () => void store.refresh());
    await drawn(widget, () => widget.update());
    expect(document.querySelector('dialog')?.textContent).toContain(
      'no longer waits'
    );
    expect(() => decision('Deny')).toThrow();
    await drawn(widget, () => decision('Close').click());
    expect(document.querySelector('dialog')).toBeNull();
  });

  it('lead the focus on, but to no button', async () => {
    server.waiting = [sampleApproval({ id: 'a' }), sampleApproval({ id: 'b' })];
    await showApprovals();
    const next = cards()[1];
    await opens('Approve…');
    // A browser restores the focus by itself.
    button('Approve…').focus();
    await drawn(widget, () => userPresses(decision('Approve')));
    expect(document.activeElement).toBe(next);
  });

  it('show what is left after it, or missing', async () => {
    server.waiting = [
      sampleApproval({ notebook: PATH, amount: '0.25' }),
      sampleApproval({ id: 'b', notebook: PATH, amount: '20' })
    ];
    model.show(sampleState('active', { path: PATH, remaining: '9.8' }));
    await showApprovals();
    expect(
      cards().map(card => card.querySelector('.aumos-Card-after')?.textContent)
    ).toEqual([
      'Leaves $9.55 of the budget.',
      'Needs $10.20 more than the budget has left.'
    ]);
  });

  it('put what the shown notebook waits for first, and name the others', async () => {
    server.waiting = [
      sampleApproval({ id: 'a', notebook: 'other.ipynb' }),
      sampleApproval({ id: 'b' })
    ];
    await showApprovals();
    expect(cards().map(card => card.dataset.approval)).toEqual(['b', 'a']);
    expect(cards()[0]?.textContent).not.toContain('agents.ipynb');
    expect(cards()[1]?.textContent).toContain('other.ipynb');
    expect(cards()[0]?.dataset.lead).toBe('');
  });

  it('show why nothing can be decided', async () => {
    server.waiting = [sampleApproval()];
    model.mayChange = false;
    await showApprovals();
    expect(button('Approve…').getAttribute('aria-disabled')).toBe('true');
    expect(button('Approve…').title).toContain('not change it');
    await drawn(widget, () => userPresses(button('Approve…')));
    expect(document.querySelector('dialog')).toBeNull();
  });

  it('show what the server refused', async () => {
    server.waiting = [sampleApproval()];
    server.refusal = new Error('This was denied already, by bob.');
    await showApprovals();
    await opens('Approve…');
    await drawn(widget, () => userPresses(decision('Approve')));
    expect(document.querySelector('dialog [role=alert]')?.textContent).toBe(
      'This was denied already, by bob.'
    );
  });

  it('show that nothing waits', async () => {
    await showApprovals();
    expect(widget.node.textContent).toBe('Nothing waits for approval.');
  });

  it('show hostile text as text, cut for a start', async () => {
    const evil = `<img src=x onerror=alert(1)>\u202E\n${'x'.repeat(10_000)}`;
    server.waiting = [
      sampleApproval({
        tool: evil,
        agent_id: evil,
        shown: { arguments: { [evil]: evil }, code: evil }
      })
    ];
    await showApprovals();
    expect(widget.node.querySelector('img')).toBeNull();
    const [card] = cards();
    expect(card?.textContent.length).toBeLessThan(4000);
    expect(card?.querySelector('.aumos-Shown dd')?.textContent).toContain(
      'U+202E'
    );
    const more = [...(card?.querySelectorAll('button') ?? [])].filter(one =>
      one.textContent.startsWith('Show all')
    );
    expect(more).toHaveLength(2);
    await drawn(widget, () => more[1]?.click());
    expect(card?.textContent).toContain('x'.repeat(10_000));
    await drawn(widget, () => button('Show less').click());
    expect(card?.textContent.length).toBeLessThan(4000);
  });

  it('show reports until they are acknowledged', async () => {
    server.unseen = [sampleReport({ id: 'r-1' }), sampleReport({ id: 'r-2' })];
    const store = new WaitingReports({ api: server.api, model });
    const section = reportsSection(store);
    await show(section);
    expect(section.isShown?.({} as ISectionProps)).toBe(true);
    expect(cards()[0]?.textContent).toContain('commandrm -r build');
    expect(cards()[0]?.textContent).toContain('Resultdone');
    await drawn(widget, () => button('Acknowledge').click());
    expect(server.seen).toEqual([]);
    await drawn(widget, () => userPresses(button('Acknowledge')));
    await drawn(widget, () => widget.update());
    expect(server.seen).toEqual(['r-1']);
    expect(cards().map(card => card.dataset.report)).toEqual(['r-2']);
  });
});
