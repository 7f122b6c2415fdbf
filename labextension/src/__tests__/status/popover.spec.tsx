import { nullTranslator } from '@jupyterlab/translation';
import { GovernancePopover } from '../../status/popover';
import { drawn } from '../support/drawing';
import { FakeModel, unreachable } from '../support/fakes';
import { userPresses } from '../support/user';
import { sampleConfig, sampleState } from '../support/samples';
import { StartScene } from '../support/starting';

describe('GovernancePopover', () => {
  let model: FakeModel;
  let anchor: HTMLButtonElement;
  let elsewhere: HTMLButtonElement;
  let popover: GovernancePopover;

  async function open(
    ...args: Parameters<typeof sampleState>
  ): Promise<HTMLElement> {
    model.show(sampleState(...args));
    await drawn(popover, () => popover.open());
    return popover.node;
  }

  function figures(): Record<string, string> {
    const texts = (tag: string): string[] =>
      [...popover.node.querySelectorAll(tag)].map(node => node.textContent);
    const values = texts('dd');
    return Object.fromEntries(
      texts('dt').map((name, i) => [name, values[i] ?? ''])
    );
  }

  function press(key: string, target: Element): KeyboardEvent {
    const options = { key, bubbles: true, cancelable: true };
    const event = new KeyboardEvent('keydown', options);
    target.dispatchEvent(event);
    return event;
  }

  function notes(): string[] {
    return [...popover.node.querySelectorAll('.aumos-Popover-note')].map(
      node => node.textContent
    );
  }

  beforeEach(() => {
    model = new FakeModel();
    anchor = document.body.appendChild(document.createElement('button'));
    elsewhere = document.body.appendChild(document.createElement('button'));
    popover = new GovernancePopover({
      model,
      trans: nullTranslator.load('aumos_governance'),
      anchor
    });
  });

  afterEach(() => {
    popover.dispose();
    document.body.replaceChildren();
  });

  it('is a named dialog that has the focus', async () => {
    const node = await open('active');
    expect(node.getAttribute('role')).toBe('dialog');
    expect(node.getAttribute('aria-label')).toBe('Governance');
    expect(document.activeElement).toBe(node);
  });

  it('lists the figures by name', async () => {
    await open('active');
    expect(figures()).toEqual({
      'Trust level': 'L2 Suggest',
      Budget: '$10.00',
      Spent: '$0.20',
      Held: '$0.00',
      Left: '$9.80',
      'Set by': 'the notebook'
    });
    expect(notes()).toEqual([]);
  });

  it("calls the server's only user you", async () => {
    model.config = { ...sampleConfig(), user: 'ada' };
    await open('active', { set_by: 'ada' });
    expect(figures()['Set by']).toBe('you');
    const byBob = sampleState('active', { set_by: 'bob' });
    await drawn(popover, () => model.show(byBob));
    expect(figures()['Set by']).toBe('bob');
  });

  it('draws the bar with the warning marks', async () => {
    const node = await open('held');
    const marks = [
      ...node.querySelectorAll<HTMLElement>('.aumos-BudgetBar-mark')
    ];
    expect(marks.map(mark => mark.style.left)).toEqual(['50%', '80%']);
    expect(notes()).toEqual([
      'At least 50% of the budget is spent. $1.50 is held.'
    ]);
  });

  it('follows the model while it is open', async () => {
    await open('active');
    await drawn(popover, () => model.show(sampleState('overrun')));
    expect(figures().Over).toBe('$0.25');
    expect(notes()).toEqual(['The budget is exceeded by $0.25.']);
  });

  it('shows the last session where none is open', async () => {
    const node = await open('closed');
    expect(node.querySelector('h2')?.textContent).toBe(
      'Governance: off (last session)'
    );
    expect(figures().Spent).toBe('$0.20');
    expect(notes()).toEqual(['To start a session, run %governance in a cell.']);
  });

  it('shows no figures where there was no session', async () => {
    const node = await open('never_opened');
    expect(node.querySelector('h2')?.textContent).toBe('Governance: off');
    expect(figures()).toEqual({});
    expect(node.querySelector('.aumos-BudgetBar')).toBeNull();
  });

  describe('of a notebook that is not governed', () => {
    let scene: StartScene;

    beforeEach(() => {
      popover.dispose();
      scene = new StartScene(model);
      popover = new GovernancePopover({
        model,
        trans: nullTranslator.load('aumos_governance'),
        anchor,
        starter: scene.starter
      });
    });

    const start = (): HTMLElement | null =>
      popover.node.querySelector('button');

    it('starts it by a user, and then shows the figures', async () => {
      const node = await open('never_opened');
      expect(notes()).toEqual([]);
      start()?.click();
      expect(scene.changes).toEqual([]);
      await drawn(popover, () => userPresses(start() ?? anchor));
      expect(scene.changes).toEqual([
        [model.path, { trust_level: 2, budget: '10' }]
      ]);
      expect(document.activeElement).toBe(node);
      await drawn(popover, () => model.show(sampleState('active')));
      expect(start()).toBeNull();
    });

    it('lets Tab go through its controls before it closes', async () => {
      const node = await open('never_opened');
      press('Tab', node);
      node.querySelector('select')?.focus();
      press('Tab', node);
      expect(popover.isDisposed).toBe(false);
      start()?.focus();
      press('Tab', node);
      expect(popover.isDisposed).toBe(true);
    });
  });

  it('shows when the server does not respond', async () => {
    await open('active');
    await drawn(popover, () =>
      model.become({
        connection: 'unreachable',
        failure: unreachable(),
        seenAt: new Date(2026, 10, 22, 14, 2).getTime()
      })
    );
    expect(popover.node.querySelector('h2')?.textContent).toBe(
      'Governance: unreachable'
    );
    expect(notes()[0]).toMatch(
      /^Can't reach the server. Showing values from 0?2:02\sPM.$/
    );
    expect(notes()).toHaveLength(1);
  });

  it('shows text as text, on lines of bearable length', async () => {
    const node = await open('odd_text');
    expect(node.querySelector('img, script, b')).toBeNull();
    expect(figures()['Set by']).toBe('<script>');
    expect(figures().Agent).toMatch(/^<img src=x onerror=alert\(1\)>/);
    expect(figures().Agent).not.toContain('\n');
    expect(figures().Agent?.length).toBe(200);
    expect(node.querySelector('.aumos-Popover-path')?.textContent).toBe(
      'a b/übung #1 & <b>.ipynb'
    );
  });

  it('closes on Escape and gives the focus back', async () => {
    const event = press('Escape', await open('active'));
    expect(event.defaultPrevented).toBe(true);
    expect(popover.isDisposed).toBe(true);
    expect(document.activeElement).toBe(anchor);
  });

  it('closes on a press outside, not on one inside or on its anchor', async () => {
    const node = await open('active');
    const point = (target: Element): boolean =>
      target.dispatchEvent(new Event('pointerdown', { bubbles: true }));
    point(node);
    point(anchor);
    expect(popover.isDisposed).toBe(false);
    point(elsewhere);
    expect(popover.isDisposed).toBe(true);
  });

  it('closes on Tab, which then goes on from the anchor', async () => {
    const event = press('Tab', await open('active'));
    expect(event.defaultPrevented).toBe(false);
    expect(popover.isDisposed).toBe(true);
    expect(document.activeElement).toBe(anchor);
  });

  it('stays open when the page moves the focus', async () => {
    await open('active');
    elsewhere.focus();
    expect(popover.isDisposed).toBe(false);
    expect(press('Tab', elsewhere).defaultPrevented).toBe(false);
    expect(popover.isDisposed).toBe(false);
  });

  it('closes on Escape from elsewhere, which still gets the key', async () => {
    await open('active');
    elsewhere.focus();
    const heard = vi.fn();
    elsewhere.addEventListener('keydown', heard);
    expect(press('Escape', elsewhere).defaultPrevented).toBe(false);
    expect(heard).toHaveBeenCalledOnce();
    expect(popover.isDisposed).toBe(true);
    expect(document.activeElement).toBe(elsewhere);
  });

  it('closes when no notebook is in front any more', async () => {
    await open('active');
    model.become({ path: null, state: null });
    expect(popover.isDisposed).toBe(true);
  });

  it('is silent once disposed', async () => {
    await open('active');
    popover.dispose();
    expect(() => model.show(sampleState('fresh'))).not.toThrow();
    expect(() => window.dispatchEvent(new Event('resize'))).not.toThrow();
  });
});
