import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { GovernanceApiError } from '../../server/requests';
import { GovernancePopover } from '../../status/popover';
import { GovernanceStatusItem } from '../../status/statusItem';
import { drawn } from '../support/drawing';
import { FakeModel, unreachable } from '../support/fakes';
import { sampleConfig, sampleState } from '../support/samples';

describe('GovernanceStatusItem', () => {
  let model: FakeModel;
  let item: GovernanceStatusItem;

  function find(selector: string): HTMLElement {
    const node = item.node.querySelector<HTMLElement>(selector);
    if (!node) {
      throw new Error(`There is no ${selector}.`);
    }
    return node;
  }

  const button = (): HTMLElement => find('button');
  const text = (): string | null => button().textContent;
  const announced = (): string | null => find('[role=status]').textContent;

  async function show(
    ...args: Parameters<typeof sampleState>
  ): Promise<HTMLElement> {
    await drawn(item, () => model.show(sampleState(...args)));
    return button();
  }

  beforeEach(async () => {
    model = new FakeModel();
    item = new GovernanceStatusItem({
      model,
      trans: nullTranslator.load('aumos_governance'),
      loadPopover: () => Promise.resolve(GovernancePopover)
    });
    await drawn(item, () => Widget.attach(item, document.body));
  });

  afterEach(() => {
    item.dispose();
    expect(document.querySelector('.aumos-Popover')).toBeNull();
  });

  it('is hidden while no notebook is in front', async () => {
    expect(item.isHidden).toBe(true);
    await show('active');
    expect(item.isHidden).toBe(false);
    model.become({ path: null, state: null });
    expect(item.isHidden).toBe(true);
  });

  it.each([
    ['active', 'L2 Suggest · $9.80 left'],
    ['fresh', 'L2 Suggest · $10.00 left'],
    ['held', 'L2 Suggest · $2.50 left'],
    ['used_up', 'L2 Suggest · $0.00 left'],
    ['overrun', 'L2 Suggest · $0.25 over'],
    ['tiny', 'L2 Suggest · $0.0006 left'],
    ['no_budget', 'L0 Observer · $0.00 left'],
    ['approval', 'L3 Act (Approval Required) · $9.80 left'],
    ['shared', 'L2 Suggest · $9.80 left'],
    ['closed', 'Governance: off'],
    ['never_opened', 'Governance: off']
  ] as const)('shows %s as "%s"', async (name, expected) => {
    await show(name);
    expect(text()).toBe(expected);
  });

  it('shows that nothing is known yet', async () => {
    await drawn(item, () =>
      model.become({ path: 'a.ipynb', connection: 'connecting' })
    );
    expect(text()).toBe('Governance: …');
  });

  it('shows when the server does not respond, with the last figures', async () => {
    await show('active');
    await drawn(item, () =>
      model.become({ connection: 'unreachable', failure: unreachable() })
    );
    expect(text()).toBe('Governance: unreachable');
    expect(item.node.querySelector('.aumos-BudgetBar')).toBeNull();
    expect(button().title).toContain("Can't reach the server.");
    expect(button().title).not.toContain('Failed to fetch');
    expect(button().title).toContain('$9.80');
  });

  it('shows when the server lacks the extension', async () => {
    const failure = new GovernanceApiError('NOT_ENABLED', 'x', 404);
    await drawn(item, () =>
      model.become({ path: 'a.ipynb', connection: 'unreachable', failure })
    );
    expect(button().title).toContain('server extension is not enabled');
  });

  it('keeps the figures while events are interrupted, and shows that they are', async () => {
    await show('active');
    await drawn(item, () => model.become({ connection: 'interrupted' }));
    expect(text()).toBe('L2 Suggest · $9.80 left');
    expect(button().dataset.connection).toBe('interrupted');
    expect(button().title).toContain('Reconnecting');
  });

  it('shows all figures in its tooltip', async () => {
    const { title } = await show('held', { over: '1', shared_with: 'b.ipynb' });
    const lines = title.replace(/[\u2068\u2069]/g, '').split('\n');
    expect(lines).toEqual([
      'Governance',
      'Trust level: L2 Suggest',
      'Budget: $10.00',
      'Spent: $6.00',
      'Held: $1.50',
      'Left: $2.50',
      'Over: $1.00',
      'Set by: teacher',
      'Agent: agent-7',
      'Shared with: b.ipynb',
      'Spent and held exceed the budget by $1.00.'
    ]);
  });

  it.each([
    ['active', 'the notebook'],
    ['autostarted', "the server's configuration"],
    ['held', 'teacher']
  ] as const)('names who set %s: %s', async (name, who) => {
    const { title } = await show(name);
    expect(title).toContain(`Set by: \u2068${who}\u2069`);
  });

  it('shows the last total and how to start if no session is open', async () => {
    const closed = (await show('closed')).title;
    expect(closed).toContain('last session');
    expect(closed).toContain('Spent: \u2068$0.20\u2069');
    expect(closed).toContain('%governance');
    const never = (await show('never_opened')).title;
    expect(never).not.toContain('Spent');
    expect(never).toContain('%governance');
  });

  it.each([
    ['2', '0', 'normal', '20%', undefined, 'governance'],
    ['4', '5', 'normal', '40%', '50%', 'governance'],
    ['5', '1', 'notice', '50%', '10%', 'governance'],
    ['8', '1', 'warning', '80%', '10%', 'full'],
    ['10', '0', 'full', '100%', undefined, 'full']
  ])(
    'draws %s spent and %s held as %s',
    async (spent, held, severity, spentWidth, heldWidth, icon) => {
      await show('active', { spent, held });
      expect(button().dataset.severity).toBe(severity);
      expect(find('.aumos-BudgetBar').dataset.severity).toBe(severity);
      expect(find('.aumos-BudgetBar-spent').style.width).toBe(spentWidth);
      expect(
        item.node.querySelector<HTMLElement>('.aumos-BudgetBar-held')?.style
          .width
      ).toBe(heldWidth);
      expect(find('svg').dataset.icon).toBe(`aumos-governance:${icon}`);
    }
  );

  it('announces to a screen reader what the colour shows', async () => {
    await show('active');
    expect(button().getAttribute('aria-label')).toBe('L2 Suggest · $9.80 left');
    await show('active', { spent: '8', remaining: '2' });
    expect(button().getAttribute('aria-label')).toBe(
      'L2 Suggest · $2.00 left. At least 80% of the budget is spent.'
    );
  });

  it('speaks up when a warning mark is passed, and only then', async () => {
    await show('active', { spent: '1' });
    await show('active', { spent: '2' });
    expect(announced()).toBe('');
    await show('active', { spent: '5' });
    expect(announced()).toBe('At least 50% of the budget is spent.');
    await show('active', { spent: '6' });
    expect(announced()).toBe('At least 50% of the budget is spent.');
    await show('active', { spent: '8.5' });
    expect(announced()).toBe('At least 80% of the budget is spent.');
    await show('active', { spent: '10', remaining: '0' });
    expect(announced()).toBe('The whole budget is spent.');
  });

  it('does not speak up for a notebook that merely comes to the front', async () => {
    await show('active');
    await show('active', { path: 'b.ipynb', spent: '9' });
    expect(announced()).toBe('');
  });

  it('shows text as text, on one line', async () => {
    const node = await show('odd_text');
    expect(item.node.querySelector('img, script')).toBeNull();
    expect(node.title.split('\n').every(line => line.length < 250)).toBe(true);
  });

  it('opens and closes the popover', async () => {
    await show('active');
    expect(button().getAttribute('aria-expanded')).toBe('false');
    await drawn(item, () => button().click());
    expect(document.querySelectorAll('.aumos-Popover')).toHaveLength(1);
    expect(button().getAttribute('aria-expanded')).toBe('true');
    await drawn(item, () => button().click());
    expect(document.querySelector('.aumos-Popover')).toBeNull();
    expect(button().getAttribute('aria-expanded')).toBe('false');
  });

  it('requests the state again on a click when the figures may be old', async () => {
    await show('active');
    button().click();
    button().click();
    expect(model.refreshed).toBe(0);
    model.become({ connection: 'unreachable', failure: unreachable() });
    button().click();
    expect(model.refreshed).toBe(1);
  });

  it('draws no marks before they are configured', async () => {
    model.config = sampleConfig('no_warning');
    await show('active', { spent: '9' });
    expect(button().dataset.severity).toBe('normal');
  });

  it('is silent once disposed', async () => {
    await show('active');
    button().click();
    item.dispose();
    expect(document.querySelector('.aumos-Popover')).toBeNull();
    expect(() => model.show(sampleState('fresh'))).not.toThrow();
  });
});
