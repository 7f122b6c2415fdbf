import { nullTranslator } from '@jupyterlab/translation';
import type { ReactWidget } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import React from 'react';
import { DenyDialog } from '../../decisions/denyDialog';
import { limitsSection } from '../../panel/sections/limits';
import { WaitingLimits } from '../../state/waitingLimits';
import type { IPanelApi, ISectionProps } from '../../tokens';
import { Notation } from '../../words/notation';
import { Drawing, drawn } from '../support/drawing';
import { FakeModel } from '../support/fakes';
import { userPresses } from '../support/user';
import { FakeWaiting, sampleLimit } from '../support/waitingFakes';

const trans = nullTranslator.load('aumos_governance');
const PATH = 'research/agents.ipynb';

describe('the section of what waits at a limit', () => {
  let model: FakeModel;
  let server: FakeWaiting;
  let store: WaitingLimits;
  let widget: ReactWidget;
  let isShown: () => boolean;
  const raised: [string, string][] = [];

  async function show(): Promise<void> {
    store = new WaitingLimits({ api: server.api, model });
    const dialog = new DenyDialog({
      model,
      notation: new Notation(),
      store,
      trans
    });
    const section = limitsSection(store, {
      raise: (path, budget) => raised.push([path, budget]),
      deny: (request, after) => dialog.open(request, after)
    });
    const { Body } = section;
    const props: ISectionProps = {
      model,
      trans,
      path: PATH,
      state: null,
      api: {} as IPanelApi
    };
    isShown = () => section.isShown?.(props) ?? true;
    widget = new Drawing(() => <Body {...props} />);
    section.changed?.connect(() => widget.update());
    Widget.attach(widget, document.body);
    await drawn(widget, () => widget.update());
    await drawn(widget, () => vi.advanceTimersByTime(500));
  }

  function button(root: ParentNode, text: string): HTMLButtonElement {
    const found = [...root.querySelectorAll('button')].find(
      one => one.textContent === text
    );
    if (!found) {
      throw new Error(`There is no button "${text}".`);
    }
    return found;
  }

  function dialogOf(): HTMLDialogElement {
    const dialog = document.querySelector('dialog');
    if (!dialog) {
      throw new Error('No dialog is open.');
    }
    return dialog;
  }

  beforeEach(() => {
    vi.useFakeTimers({
      now: Date.parse('2026-11-22T12:03:00Z'),
      toFake: ['Date', 'setInterval', 'setTimeout', 'clearTimeout'],
      shouldAdvanceTime: true,
      advanceTimeDelta: 5
    });
    raised.length = 0;
    model = new FakeModel();
    server = new FakeWaiting();
    server.atLimit = [sampleLimit()];
  });

  afterEach(() => {
    widget.dispose();
    store.dispose();
    document.querySelectorAll('dialog').forEach(dialog => dialog.close());
    vi.useRealTimers();
  });

  it('is shown while calls wait, with what they need', async () => {
    await show();
    expect(isShown()).toBe(true);
    const card = widget.node.querySelector('.aumos-Card');
    expect(card?.textContent).toContain('gpt-4o');
    expect(card?.textContent).toContain('Needs $0.40 more');
    expect(card?.textContent).toContain('7 min left');
    server.atLimit = [];
    await drawn(widget, () => vi.advanceTimersByTime(500));
    await drawn(widget, () => void store.refresh());
    expect(isShown()).toBe(false);
  });

  it('leads to the budget with the least amount that fits', async () => {
    await show();
    await drawn(widget, () => button(widget.node, 'Raise Budget…').click());
    expect(raised).toEqual([[PATH, '1.4']]);
    expect(server.decisions).toEqual([]);
  });

  it('offers no budget where a ceiling binds', async () => {
    server.atLimit = [
      sampleLimit({ limit: { kind: 'owner', name: 'mine', allowed: '1' } })
    ];
    await show();
    expect(() => button(widget.node, 'Raise Budget…')).toThrow();
    expect(widget.node.textContent).toContain('Ask its administrator');
  });

  it('denies by a user’s own press in the dialog alone', async () => {
    await show();
    await drawn(widget, () => button(widget.node, 'Deny…').click());
    expect(document.querySelector('dialog')).toBeNull();
    await drawn(widget, () => userPresses(button(widget.node, 'Deny…')));
    const dialog = dialogOf();
    await drawn(widget, () => userPresses(button(dialog, 'Deny')));
    expect(server.decisions).toEqual([]);
    await drawn(widget, () => vi.advanceTimersByTime(500));
    await drawn(widget, () => button(dialog, 'Deny').click());
    expect(server.decisions).toEqual([]);
    await drawn(widget, () => userPresses(button(dialog, 'Deny')));
    expect(server.decisions).toEqual([
      [sampleLimit().id, 'deny', expect.any(String)]
    ]);
    expect(document.querySelector('dialog')).toBeNull();
    await drawn(widget, () => vi.advanceTimersByTime(500));
    expect(store.entries).toEqual([]);
    // The same session may wait again.
    server.atLimit = [sampleLimit()];
    await drawn(widget, () => vi.advanceTimersByTime(500));
    await drawn(widget, () => void store.refresh());
    expect(store.entries).toHaveLength(1);
  });

  it('ends in the dialog what waits no longer', async () => {
    await show();
    await drawn(widget, () => userPresses(button(widget.node, 'Deny…')));
    server.atLimit = [];
    await drawn(widget, () => vi.advanceTimersByTime(500));
    await drawn(widget, () => void store.refresh());
    await drawn(widget, () => widget.update());
    const dialog = dialogOf();
    expect(dialog.textContent).toContain('Nothing waits at this limit');
    expect(() => button(dialog, 'Deny')).toThrow();
  });
});
