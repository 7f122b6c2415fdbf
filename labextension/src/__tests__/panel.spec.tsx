import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { IChange } from '../apiSession';
import { budgetSection } from '../panel/budget';
import { holdsSection } from '../panel/holds';
import { notebooksSection } from '../panel/notebooks';
import { PanelBody } from '../panel/panelBody';
import type { IPanelApi } from '../panel/section';
import { sessionSection } from '../panel/session';
import { SectionMemory } from '../panel/sectionMemory';
import { PanelSubject } from '../panel/subject';
import { trustSection } from '../panel/trust';
import type { IGovernanceState } from '../protocol';
import type { IEnvelope, IKernel } from '../protocolSession';
import type { IHold } from '../protocolWaiting';
import { drawn } from './drawing';
import { FakeModel, unreachable } from './fakes';
import { personPresses } from './person';
import { envelopes, holds, sampleConfig, sampleState } from './samples';

const PATH = 'research/agents.ipynb';

describe('the panel', () => {
  let model: FakeModel;
  let subject: PanelSubject;
  let body: PanelBody;
  let held: IHold[];
  let within: IEnvelope[];
  let all: IGovernanceState[];
  let kernels: IKernel[];
  let kernelReads: number;
  let refusal: Error | null;
  const changes: [string, IChange][] = [];
  const closed: string[] = [];
  const resolved: [string, string | null][] = [];
  const opened: string[] = [];

  const answer = <T,>(value: T): Promise<T> =>
    refusal ? Promise.reject(refusal) : Promise.resolve(value);
  const api = {
    session: {
      change: (path: string, change: IChange) => {
        changes.push([path, change]);
        return answer(sampleState('active', { path, ...change }));
      },
      close: (path: string) => {
        closed.push(path);
        return answer(sampleState('closed', { path }));
      },
      envelopes: () => answer(within),
      kernels: () => {
        kernelReads += 1;
        return answer(kernels);
      },
      notebooks: () => answer({ entries: all, after: null })
    },
    waiting: {
      holds: () => answer({ entries: held, after: null }),
      settle: (id: string, amount: string) => {
        resolved.push([id, amount]);
        return answer({ resolution: {}, state: null });
      },
      release: (id: string) => {
        resolved.push([id, null]);
        return answer({ resolution: {}, state: null });
      }
    }
  } as unknown as IPanelApi;

  async function settle(action: () => void = () => undefined): Promise<void> {
    await drawn(body, action);
    await drawn(body, () => vi.advanceTimersByTime(1000));
    await drawn(body, () => undefined);
  }

  async function show(...args: Parameters<typeof sampleState>): Promise<void> {
    await settle(() => model.show(sampleState(...args)));
  }

  const section = (id: string): HTMLElement | null =>
    body.node.querySelector<HTMLElement>(`[data-section=${id}]`);

  function text(id: string): string {
    return section(id)?.querySelector('.aumos-Section-body')?.textContent ?? '';
  }

  function control(name: string | RegExp): HTMLElement {
    const found = [...body.node.querySelectorAll<HTMLElement>('button')].find(
      node => {
        const label = node.getAttribute('aria-label') ?? node.textContent;
        return typeof name === 'string' ? label === name : name.test(label);
      }
    );
    if (!found) {
      throw new Error(`There is no control ${String(name)}.`);
    }
    return found;
  }

  const press = (name: string | RegExp): Promise<void> =>
    settle(() => control(name).click());
  const personPress = (name: string | RegExp): Promise<void> =>
    settle(() => personPresses(control(name)));

  async function type(value: string): Promise<void> {
    const input = body.node.querySelector('input');
    const set = Object.getOwnPropertyDescriptor(
      HTMLInputElement.prototype,
      'value'
    )?.set;
    await settle(() => {
      set?.call(input, value);
      input?.dispatchEvent(new Event('input', { bubbles: true }));
    });
  }

  beforeEach(async () => {
    window.localStorage.clear();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    vi.setSystemTime('2026-11-22T12:09:59Z');
    model = new FakeModel();
    held = [];
    within = [];
    all = [];
    kernels = [];
    kernelReads = 0;
    refusal = null;
    for (const list of [changes, closed, resolved, opened]) {
      list.length = 0;
    }
    subject = new PanelSubject(model);
    body = new PanelBody({
      model,
      subject,
      api,
      trans: nullTranslator.load('aumos_governance'),
      memory: new SectionMemory(window.localStorage),
      navigation: {
        open: path => {
          opened.push(path);
          return Promise.resolve();
        },
        goTo: path => {
          opened.push(path);
          return Promise.resolve();
        }
      }
    });
    const sections = [
      notebooksSection(subject),
      sessionSection,
      holdsSection,
      budgetSection,
      trustSection
    ];
    for (const one of sections) {
      body.addSection(one);
    }
    await settle(() => Widget.attach(body, document.body));
  });

  afterEach(() => {
    body.dispose();
    subject.dispose();
    vi.useRealTimers();
  });

  it('shows its sections by rank', async () => {
    await show('active');
    const shown = [...body.node.querySelectorAll('[data-section]')].map(
      node => (node as HTMLElement).dataset.section
    );
    expect(shown).toEqual(['trust', 'budget', 'holds', 'session', 'notebooks']);
    expect(body.node.querySelector('h2')?.textContent).toBe('agents.ipynb');
  });

  it('lists all notebooks while none is in front', () => {
    expect(body.node.querySelector('h2')?.textContent).toBe(
      'No notebook is in front'
    );
    expect(section('notebooks')).not.toBeNull();
    expect(section('trust')).toBeNull();
  });

  it('opens and closes a section', async () => {
    await show('active');
    const title = section('budget')?.querySelector('button');
    expect(title?.getAttribute('aria-expanded')).toBe('true');
    await settle(() => title?.click());
    expect(title?.getAttribute('aria-expanded')).toBe('false');
    expect(text('budget')).toBe('');
    expect(title?.textContent).toContain('$9.80 left');
  });

  it('remembers what was closed, beyond a reload', async () => {
    await show('active');
    const title = (): HTMLElement | null | undefined =>
      section('budget')?.querySelector('button');
    await settle(() => title()?.click());
    body.removeSection(budgetSection);
    await settle(() => body.addSection(budgetSection));
    expect(title()?.getAttribute('aria-expanded')).toBe('false');
    expect(new SectionMemory(window.localStorage).isOpen('budget')).toBe(false);
    await settle(() => title()?.click());
    expect(new SectionMemory(window.localStorage).isOpen('budget')).toBe(true);
  });

  it('leads to a section, which it opens', async () => {
    await show('active');
    await settle(() => section('budget')?.querySelector('button')?.click());
    await settle(() => body.lead('budget'));
    expect(document.activeElement?.textContent).toBe('Edit');
  });

  it('draws nothing while nobody sees it', async () => {
    await show('active');
    body.hide();
    await settle(() => model.show(sampleState('held')));
    expect(text('budget')).toContain('$9.80');
    await settle(() => body.show());
    expect(text('budget')).toContain('$2.50');
  });

  it('says what the page does not know', async () => {
    await show('shared');
    await settle(() =>
      model.become({ connection: 'unreachable', failure: unreachable() })
    );
    const heading = body.node.querySelector(
      '.aumos-Panel-heading'
    )?.textContent;
    expect(heading).toContain('whose session it shares');
    expect(heading).toContain('Failed to fetch');
    expect(heading).toContain('last known figures');
  });

  describe('the trust level', () => {
    const radios = (): HTMLElement[] => [
      ...body.node.querySelectorAll<HTMLElement>('[role=radio]')
    ];

    beforeEach(async () => {
      await show('active');
      await press(/^L2/);
    });

    it('offers six levels, a sentence each', () => {
      expect(radios()).toHaveLength(6);
      for (const radio of radios()) {
        expect(
          radio.querySelector('.aumos-Trust-sentence')?.textContent
        ).toMatch(/\.$/);
      }
      expect(document.activeElement).toBe(radios()[2]);
    });

    it('is tightened at once', async () => {
      await personPress(/^L1/);
      expect(changes).toEqual([[PATH, { trust_level: 1 }]]);
      expect(radios()).toHaveLength(0);
      expect(text('trust')).toMatch(/^L1/);
    });

    it('is loosened after a question only', async () => {
      await personPress(/^L4/);
      expect(changes).toEqual([]);
      await personPress('Raise to L4');
      expect(changes).toEqual([[PATH, { trust_level: 4 }]]);
    });

    it('is changed by no code in the page', async () => {
      for (const radio of radios()) {
        await settle(() => radio.click());
      }
      await personPress(/^L4/);
      await press('Raise to L4');
      expect(changes).toEqual([]);
    });

    it('goes through the levels by arrows, and closes on Escape', async () => {
      const key = async (name: string): Promise<void> =>
        settle(() =>
          document.activeElement?.dispatchEvent(
            new KeyboardEvent('keydown', { key: name, bubbles: true })
          )
        );
      await key('ArrowDown');
      expect(document.activeElement).toBe(radios()[3]);
      await key('ArrowUp');
      await key('ArrowUp');
      expect(document.activeElement).toBe(radios()[1]);
      await key('Escape');
      expect(radios()).toHaveLength(0);
      expect(changes).toEqual([]);
      expect(document.activeElement?.className).toBe('aumos-Trust-current');
    });

    it('does not go above what the server allows', async () => {
      await settle(() => model.become({ config: sampleConfig('classroom') }));
      expect(radios()[4]?.title).toBe('The server allows at most L3.');
      await personPress(/^L4/);
      expect(body.node.querySelector('.aumos-Confirmation')).toBeNull();
    });

    it('says when the server refuses', async () => {
      refusal = new Error('The ledger cannot be written.');
      await personPress(/^L0/);
      expect(section('trust')?.querySelector('[role=alert]')?.textContent).toBe(
        'The ledger cannot be written.'
      );
    });

    it('is disabled for who may only look, and says why', async () => {
      await settle(() => model.become({ mayChange: false }));
      await personPress(/^L0/);
      expect(changes).toEqual([]);
      expect(radios()[0]?.title).toBe(
        'You may look at this, but not change it.'
      );
    });
  });

  describe('the budget', () => {
    it('shows the figures and who set them', async () => {
      await show('held');
      const figures = [...body.node.querySelectorAll('.aumos-Figures dd')];
      expect(figures.map(node => node.textContent)).toEqual([
        '$6.00',
        '$1.50',
        '$2.50'
      ]);
      expect(text('budget')).toContain('Set by teacher.');
      expect(body.node.querySelectorAll('.aumos-BudgetBar-mark')).toHaveLength(
        2
      );
    });

    it('shows what was spent beyond it', async () => {
      await show('overrun');
      expect(text('budget')).toContain('Over$0.25');
      expect(text('budget')).toContain('The budget is exceeded.');
    });

    it('checks what is typed, and tells what it would leave', async () => {
      await show('held');
      await press('Edit the budget');
      await type('1,5');
      expect(text('budget')).toContain('such as 12.50');
      await personPress('Set');
      expect(changes).toEqual([]);
      await type('7');
      expect(text('budget')).toContain('That is $0.50 less than what is used');
      await type('20');
      expect(text('budget')).toContain('$12.50 would be left.');
    });

    it('is set by a person only', async () => {
      await show('active');
      await press('Edit the budget');
      await type('20');
      await press('Raise to $20.00');
      body.node
        .querySelector('input')
        ?.dispatchEvent(
          new KeyboardEvent('keydown', { key: 'Enter', bubbles: true })
        );
      expect(changes).toEqual([]);
      expect(document.activeElement?.textContent).toBe('Raise to $20.00');
      await personPress('Raise to $20.00');
      expect(changes).toEqual([[PATH, { budget: '20' }]]);
      expect(body.node.querySelector('input')).toBeNull();
    });

    it('does not go above what the server allows', async () => {
      model.config = sampleConfig('classroom');
      await show('active');
      await press('Edit the budget');
      await type('5.01');
      expect(text('budget')).toContain('The server allows at most $5.00.');
    });

    it('lies within the ceilings around it', async () => {
      within = envelopes.valid.nested.envelopes as IEnvelope[];
      await show('active');
      expect(text('budget')).toContain('Within');
      expect(text('budget')).toContain('class-5');
      expect(text('budget')).toContain('$38.50 of $100.00 left');
      expect(text('budget')).toContain('team, each month');
      expect(text('budget')).toContain('Only $0.00 can be spent');
    });
  });

  describe('the holds', () => {
    beforeEach(() => {
      held = holds.valid.mixed.holds as IHold[];
    });

    it('are listed with where and when they were made', async () => {
      await show('held');
      expect(text('holds')).toContain('gpt-4o$0.05');
      expect(text('holds')).toContain('In [4]9 min agoagent-7');
      await press('In [4]');
      expect(opened).toEqual([PATH]);
    });

    it('that nobody else can resolve stand first', async () => {
      await show('held');
      const first = section('holds')?.querySelector('li');
      expect(first?.dataset.state).toBe('unresolved');
      expect(first?.textContent).toContain('its kernel is gone');
      expect(section('holds')?.querySelectorAll('.aumos-Actions').length).toBe(
        1
      );
    });

    it('are released by a person only', async () => {
      await show('held');
      await press('Release');
      expect(resolved).toEqual([]);
      await personPress('Release');
      expect(resolved).toEqual([['0199a1b2c3d4e5f60718293a4b5c6d7f', null]]);
    });

    it('are settled with what they cost, by a person only', async () => {
      await show('held');
      await press('Settle…');
      expect(text('holds')).toContain('All that was held.');
      await type('1.25');
      expect(text('holds')).toContain('$0.25 is given back.');
      await press('Settle with $1.25');
      expect(resolved).toEqual([]);
      await personPress('Settle with $1.25');
      expect(resolved).toEqual([['0199a1b2c3d4e5f60718293a4b5c6d7f', '1.25']]);
    });

    it('are read again when the notebook changes', async () => {
      await show('held', { seq: 12 });
      held = [];
      await show('held', { seq: 13 });
      expect(text('holds')).toBe('Nothing is set aside.');
    });

    it('of odd text are text', async () => {
      held = holds.valid.odd_text.holds as IHold[];
      await show('held');
      expect(section('holds')?.querySelector('img, script, b')).toBeNull();
      expect(text('holds')).toContain('<img src=x');
    });
  });

  describe('the session', () => {
    it('is closed by a person only, after a question', async () => {
      await show('active');
      await press('Close session…');
      await press('Close session');
      expect(closed).toEqual([]);
      await personPress('Close session');
      expect(closed).toEqual([PATH]);
      expect(text('session')).toContain('The last one spent $0.20 of $10.00.');
    });

    describe('of a kernel', () => {
      const SENTENCE = 'The server cannot reach the kernel of this notebook';
      const kernel = (notebook: string, reachable: boolean): IKernel => ({
        id: notebook,
        notebook,
        reachable,
        transport: null
      });

      it('that is out of reach says so, whether open or not', async () => {
        kernels = [kernel(PATH, false)];
        await show('active');
        expect(text('session')).toContain(SENTENCE);
        await show('closed');
        expect(text('session')).toContain(SENTENCE);
      });

      it('in reach says nothing of it', async () => {
        kernels = [kernel(PATH, true), kernel('other.ipynb', false)];
        await show('active');
        expect(text('session')).not.toContain(SENTENCE);
        kernels = [];
        await show('active', { path: 'third.ipynb' });
        expect(text('session')).not.toContain(SENTENCE);
      });

      it('that another notebook owns is looked up by that one', async () => {
        const shared = sampleState('shared');
        kernels = [kernel(shared.shared_with ?? '', false)];
        await show('shared');
        expect(text('session')).toContain(SENTENCE);
      });

      it('is read again with another kernel or notebook only', async () => {
        await show('active');
        expect(kernelReads).toBe(1);
        await show('active', { seq: 99 });
        expect(kernelReads).toBe(1);
        kernels = [kernel(PATH, false)];
        await settle(() => model.become({ kernelChanges: 1 }));
        expect(kernelReads).toBe(2);
        expect(text('session')).toContain(SENTENCE);
        await show('active', { path: 'other.ipynb' });
        expect(kernelReads).toBe(3);
        expect(text('session')).not.toContain(SENTENCE);
      });
    });

    it('is opened by a person only', async () => {
      await show('never_opened');
      expect(text('session')).toContain('denied');
      await press(/^Open a session/);
      expect(changes).toEqual([]);
      await personPress(/^Open a session/);
      expect(changes).toEqual([[PATH, { trust_level: 2, budget: '10' }]]);
    });
  });

  describe('the notebooks', () => {
    beforeEach(async () => {
      all = [
        sampleState('active', { path: 'a/one.ipynb' }),
        sampleState('closed', { path: 'two.ipynb' })
      ];
      await show('active');
      await settle(() => model.become({ revision: 1 }));
    });

    it('with an open session are listed, and the others on demand', async () => {
      expect(text('notebooks')).toContain('one.ipynb');
      expect(text('notebooks')).not.toContain('two.ipynb');
      await press('and 1 whose session is closed');
      expect(text('notebooks')).toContain('two.ipynbL2 · closed, $0.20 spent');
    });

    it('can be followed and opened', async () => {
      await press('Show one.ipynb in this panel');
      expect(subject.path).toBe('a/one.ipynb');
      expect(model.learnt).toEqual([all[0]]);
      expect(
        body.node.querySelector('.aumos-Panel-heading')?.textContent
      ).toContain('Not the notebook in front.');
      await press('Back');
      expect(subject.path).toBe(PATH);
      await press('Open one.ipynb');
      expect(opened).toEqual(['a/one.ipynb']);
    });
  });

  it('is silent once disposed', async () => {
    await show('active');
    body.dispose();
    expect(() => model.show(sampleState('fresh'))).not.toThrow();
  });
});
