import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { IAuditFilters } from '../../server/auditApi';
import { AuditView } from '../../audit/auditView';
import { Notation } from '../../words/notation';
import type { IPanelApi } from '../../tokens';
import type { IAuditRecord, IVerification } from '../../protocol/audit';
import { drawn } from '../support/drawing';
import { FakeModel, unreachable } from '../support/fakes';
import { userPresses } from '../support/user';
import { audit, corrections, sampleState } from '../support/samples';
import { sampleRecord } from '../support/waitingFakes';

const EVIL = `<img src=x onerror=alert(1)>\u202E\n${'x'.repeat(10_000)}`;

describe('AuditView', () => {
  let model: FakeModel;
  let view: AuditView;
  let records: IAuditRecord[];
  let verification: IVerification;
  let requested: IAuditFilters[];
  let corrected: unknown[];
  let gone: unknown[];
  let stalls: boolean;
  let isGone: boolean;

  const api = (): IPanelApi =>
    ({
      audit: {
        records: (filters: IAuditFilters) => {
          requested.push(filters);
          if (isGone) {
            return Promise.reject(unreachable());
          }
          return stalls
            ? new Promise(() => undefined)
            : Promise.resolve({ records, cursor: null });
        },
        sums: (by: string) =>
          isGone
            ? Promise.reject(unreachable())
            : Promise.resolve({
                by,
                sums: [{ name: 'gpt-4o', records: records.length, spent: '1' }]
              }),
        verify: () => Promise.resolve(verification),
        exportUrl: (format: string, filters: IAuditFilters) =>
          `/export?${format}&${filters.tool ?? ''}`
      },
      waiting: {
        correct: (correction: unknown) => {
          corrected.push(correction);
          return Promise.resolve(corrections.valid.part);
        }
      }
    }) as unknown as IPanelApi;

  /** The delay after typing, and a little more. */
  const TYPED = 350;

  /** Let requests in flight end, and their results be drawn. */
  async function settled(pause = 20): Promise<void> {
    await new Promise(resolve => setTimeout(resolve, pause));
    await drawn(view, () => view.update());
    await drawn(view, () => view.update());
  }

  async function show(
    path: string | null = 'a.ipynb',
    locale = 'en'
  ): Promise<void> {
    view = new AuditView({
      api: api(),
      model,
      navigation: {
        open: () => Promise.resolve(),
        goTo: (...where: unknown[]) => {
          gone.push(where);
          return Promise.resolve();
        }
      },
      notation: new Notation(locale),
      trans: nullTranslator.load('aumos_governance')
    });
    Widget.attach(view, document.body);
    await drawn(view, () => view.showRecords(path));
    await settled(TYPED);
  }

  function find(selector: string, text = ''): HTMLElement {
    const found = [...view.node.querySelectorAll<HTMLElement>(selector)].find(
      node => node.textContent.includes(text)
    );
    if (!found) {
      throw new Error(`There is no ${selector} with "${text}".`);
    }
    return found;
  }

  const rows = (): string[] =>
    [...view.node.querySelectorAll('.aumos-AuditTable-body [role=row]')].map(
      row => row.textContent
    );

  async function type(label: string, value: string, pause = 0): Promise<void> {
    const field =
      find('label', label).querySelector('input, select, textarea') ??
      find('label', label);
    const prototype = Object.getPrototypeOf(field) as object;
    await drawn(view, () => {
      // React notices a change only through the setter of the element's own class.
      Object.getOwnPropertyDescriptor(prototype, 'value')?.set?.call(
        field,
        value
      );
      field.dispatchEvent(
        new Event(field instanceof HTMLSelectElement ? 'change' : 'input', {
          bubbles: true
        })
      );
    });
    await settled(pause);
  }

  beforeEach(() => {
    model = new FakeModel();
    records = [
      sampleRecord({ record_id: 'r2', seq: 2 }),
      sampleRecord({ record_id: 'r1', seq: 1, event: 'open', outcome: 'deny' })
    ];
    verification = audit.verifications.intact;
    requested = [];
    corrected = [];
    gone = [];
    stalls = false;
    isGone = false;
  });

  afterEach(() => view.dispose());

  it('shows what was denied today, with any earlier filters', async () => {
    // The state of the chain is requested without filters.
    const last = (): IAuditFilters | undefined =>
      requested.filter(filters => 'outcome' in filters).at(-1);
    await show();
    await type('Tool', 'gpt', TYPED);
    await drawn(view, () => view.showDenials('a.ipynb'));
    await settled();
    expect(last()).toMatchObject({
      path: 'a.ipynb',
      outcome: 'deny',
      since: new Date(new Date().setHours(0, 0, 0, 0)).toISOString(),
      tool: null
    });
    expect(find('[aria-pressed=true]', 'Denied')).toBeTruthy();
    await drawn(view, () => view.showRecords('b.ipynb'));
    await settled();
    expect(last()).toMatchObject({ path: 'b.ipynb', outcome: null });
  });

  it('lists records, and shows whether they are intact', async () => {
    await show();
    expect(find('.aumos-AuditView-count').textContent).toBe('2 records');
    expect(rows()[0]).toMatch(/SpendAllowedgpt-4oAgent agent-7\$0\.05\$0\.05$/);
    expect(rows()[1]).toContain('Session startedDenied');
    expect(find('.aumos-ChainStatus [role=status]').textContent).toBe(
      '1,234 of 1,234 records verified'
    );
    expect(find('[role=grid]').getAttribute('aria-rowcount')).toBe('3');
  });

  it('shows in its own words that the server does not respond, and claims nothing', async () => {
    isGone = true;
    await show();
    expect(find('[role=alert]').textContent).toBe("Can't reach the server.");
    expect(find('.aumos-AuditView-count').textContent).toBe('');
    isGone = false;
    await drawn(view, () => model.become({ revision: 1 }));
    await settled();
    expect(find('.aumos-AuditView-count').textContent).toBe('2 records');
    expect(view.node.querySelector('[role=alert]')).toBeNull();
  });

  it('writes dates and counts as its language does', async () => {
    records = [sampleRecord({ seq: 1234, at: '2026-10-02T12:00:00.000000Z' })];
    await show('a.ipynb', 'de');
    expect(find('.aumos-ChainStatus [role=status]').textContent).toBe(
      'Not verified yet.'
    );
    await drawn(view, () => find('button', 'Verify').click());
    await settled();
    expect(find('.aumos-ChainStatus [role=status]').textContent).toBe(
      '1.234 of 1.234 records verified'
    );
    expect(rows()[0]).toMatch(/^2\. Okt\. 2026, /);
    await drawn(view, () => find('[role=gridcell]').click());
    expect(find('.aumos-AuditDetail h2').textContent).toContain('Record 1.234');
    expect(find('.aumos-AuditDetail time').textContent).toMatch(
      /^2\.10\.2026, /
    );
  });

  it('names a broken chain loudly', async () => {
    verification = audit.verifications.changed as IVerification;
    await show();
    expect(find('.aumos-ChainStatus [role=alert]').textContent).toContain(
      'The record is broken. Record 4 of session'
    );
  });

  it('requests the records that the fields select, and exports the same', async () => {
    const listed = (): unknown => requested.filter(one => 'tool' in one).at(-1);
    await show();
    expect(listed()).toMatchObject({ path: 'a.ipynb', tool: null });
    await type('Tool', 'gpt-4o', TYPED);
    await type('Outcome', 'deny', TYPED);
    expect(listed()).toMatchObject({
      path: 'a.ipynb',
      tool: 'gpt-4o',
      outcome: 'deny'
    });
    expect(find('a', 'CSV').getAttribute('href')).toBe('/export?csv&gpt-4o');
    await type('Notebook', 'all', TYPED);
    expect(listed()).toMatchObject({ path: null });
    await drawn(view, () => find('button', 'Clear').click());
    await settled(TYPED);
    expect(listed()).toMatchObject({ tool: null, outcome: null });
  });

  it.each([
    ['a preset', () => drawn(view, () => find('button', 'Denied').click())],
    ['another notebook', () => drawn(view, () => view.showRecords('b.ipynb'))],
    ['a choice', () => type('Outcome', 'deny')]
  ])('shows no row of the list before, after %s', async (_, change) => {
    await show();
    expect(rows()).toHaveLength(2);
    stalls = true;
    await change();
    // Wait for the next frame only.
    await settled(0);
    // As many rows as the new list has, still empty.
    expect(rows()).toEqual(['…', '…']);
  });

  it('marks the rows that what is being typed leaves behind', async () => {
    const isBusy = (): boolean =>
      find('.aumos-AuditView-main').hasAttribute('aria-busy');
    await show();
    expect(isBusy()).toBe(false);
    await type('Text', 'x');
    expect(isBusy()).toBe(true);
    expect(rows()).toHaveLength(2);
    expect(find('.aumos-AuditView-count').textContent).toBe('Loading records…');
    await type('Text', 'xy', TYPED);
    expect(isBusy()).toBe(false);
    expect(find('.aumos-AuditView-count').textContent).toBe('2 records');
    await type('Text', 'x');
    await type('Text', 'xy');
    expect(isBusy()).toBe(false);
  });

  it('has presets: today, this session, denied', async () => {
    const state = sampleState('active', { path: 'a.ipynb' });
    const listed = (): unknown => requested.filter(one => 'tool' in one).at(-1);
    const isPressed = (label: string): string | null =>
      find('button', label).getAttribute('aria-pressed');
    const press = async (label: string): Promise<void> => {
      await drawn(view, () => find('button', label).click());
      await settled(TYPED);
    };
    await show();
    // A notebook that never had a session has none to choose.
    expect(find('button', 'This session').hasAttribute('disabled')).toBe(true);
    model.show(state);
    await settled();
    await press('Today');
    await press('This session');
    await press('Denied');
    expect(listed()).toMatchObject({
      path: 'a.ipynb',
      since: new Date(new Date().setHours(0, 0, 0, 0)).toISOString(),
      until: null,
      session_id: state.session_id,
      outcome: 'deny'
    });
    for (const label of ['Today', 'This session', 'Denied']) {
      expect(isPressed(label)).toBe('true');
    }
    // A new session of the notebook becomes "this session".
    model.show({ ...state, session_id: 'another' });
    await settled(TYPED);
    expect(listed()).toMatchObject({ session_id: 'another' });
    await type('From', '2026-01-01T00:00:00', TYPED);
    expect(isPressed('Today')).toBe('false');
    expect(listed()).toMatchObject({
      since: new Date('2026-01-01T00:00:00').toISOString()
    });
    await press('Denied');
    expect(listed()).toMatchObject({ outcome: null, session_id: 'another' });
    await press('Clear');
    expect(isPressed('This session')).toBe('false');
    expect(listed()).toMatchObject({ since: null, session_id: null });
  });

  it('writes what was corrected with a minus sign, and in thousands', async () => {
    records = [
      sampleRecord({ amount: '0', spent_delta: '-1234.5' }),
      sampleRecord({ amount: '20000', spent_delta: '0', record_id: 'r3' })
    ];
    await show();
    expect(rows()[0]).toMatch(/[-−]\$1,234\.50$/);
    expect(rows()[1]).toMatch(/\$20,000\.00$/);
  });

  it('is moved in by keys, and shows a record in detail', async () => {
    await show();
    const press = (node: HTMLElement, key: string): Promise<void> =>
      drawn(
        view,
        () =>
          void node.dispatchEvent(
            new KeyboardEvent('keydown', { key, bubbles: true })
          )
      );
    await press(find('[role=grid]'), 'End');
    await press(find('[role=grid]'), 'Enter');
    await settled();
    expect(find('.aumos-AuditDetail h2').textContent).toBe(
      'Record 1 · Session started'
    );
    await drawn(view, () =>
      find('.aumos-AuditDetail button', 'In [4]').click()
    );
    expect(gone).toEqual([['research/agents.ipynb', { id: 'c-3', count: 4 }]]);
    await press(find('.aumos-AuditDetail'), 'Escape');
    await settled();
    expect(view.node.querySelector('.aumos-AuditDetail')).toBeNull();
  });

  it('goes on showing a record while those of the list are not read yet', async () => {
    await show();
    const row = '.aumos-AuditTable-body [role=row]';
    await drawn(view, () => find(row).click());
    find('.aumos-AuditDetail');
    stalls = true;
    await type('Tool', 'gpt-4o', TYPED);
    expect(find(row).textContent).toBe('…');
    await drawn(view, () => find(row).click());
    find('.aumos-AuditDetail');
  });

  it('lets only a user correct a charge, with a reason', async () => {
    await show();
    await drawn(view, () => find('[role=row]', 'gpt-4o').click());
    await settled();
    await drawn(view, () => find('button', 'Correct…').click());
    const button = find('button', 'Correct charge');
    expect(button.getAttribute('aria-disabled')).toBe('true');
    await type('Amount to subtract in dollars', '0.06');
    await type('Reason', 'Entered twice');
    expect(find('.aumos-Correction').textContent).toContain(
      'Enter at most $0.05'
    );
    await type('Amount to subtract in dollars', '0.02');
    await drawn(view, () => button.click());
    expect(corrected).toEqual([]);
    await drawn(view, () => userPresses(button));
    await settled();
    expect(corrected).toEqual([
      {
        charge_id: records[0]?.charge_id,
        amount: '0.02',
        reason: 'Entered twice'
      }
    ]);
    expect(find('.aumos-AuditDetail').textContent).toContain(
      '$0.02 subtracted; $0.03 of the charge still counts.'
    );
    expect(model.learnt).toHaveLength(1);
  });

  it('follows what is written while its top is in view', async () => {
    await show();
    records.unshift(sampleRecord({ record_id: 'r3', tool: 'mail' }));
    await drawn(view, () => model.become({ revision: 1 }));
    await settled();
    expect(rows()).toHaveLength(3);
    expect(rows()[0]).toContain('mail');
  });

  it('shows hostile text as text', async () => {
    records = [
      sampleRecord({ tool: EVIL, agent_id: EVIL, reasons: [EVIL], actor: EVIL })
    ];
    await show();
    expect(rows()[0]?.length).toBeLessThan(1000);
    expect(rows()[0]).not.toContain('\u202E');
    await drawn(view, () => find('[role=row]', '<img').click());
    await settled();
    expect(view.node.querySelector('img')).toBeNull();
    expect(find('.aumos-AuditDetail').textContent).toContain('U+202E');
    expect(find('.aumos-AuditDetail').textContent.length).toBeLessThan(4000);
  });

  it('shows that nothing matches', async () => {
    records = [];
    await show(null);
    expect(find('.aumos-AuditView-main').textContent).toBe(
      'No record matches the filters.'
    );
  });
});
