import { budgetSection } from '../../panel/sections/budget';
import { SectionMemory } from '../../panel/sectionMemory';
import { unreachable } from '../support/fakes';
import { panelOfEachTest } from './panelScene';
import { sampleState } from '../support/samples';

describe('the panel', () => {
  const panel = panelOfEachTest();

  it('shows its sections by rank', async () => {
    await panel.show('active');
    const shown = panel
      .findAll('[data-section]')
      .map(node => node.dataset.section);
    expect(shown).toEqual(['trust', 'budget', 'holds', 'session', 'notebooks']);
    expect(panel.find('h2')?.textContent).toBe('agents.ipynb');
  });

  it('lists all notebooks while none is in front', () => {
    expect(panel.find('h2')?.textContent).toBe('No notebook is in front');
    expect(panel.section('notebooks')).not.toBeNull();
    expect(panel.section('trust')).toBeNull();
  });

  it('opens and closes a section', async () => {
    await panel.show('active');
    const title = panel.section('budget')?.querySelector('button');
    expect(title?.getAttribute('aria-expanded')).toBe('true');
    await panel.settle(() => title?.click());
    expect(title?.getAttribute('aria-expanded')).toBe('false');
    expect(panel.text('budget')).toBe('');
    expect(title?.textContent).toContain('$9.80 left');
  });

  it('remembers what was closed, beyond a reload', async () => {
    await panel.show('active');
    const title = (): HTMLElement | null | undefined =>
      panel.section('budget')?.querySelector('button');
    await panel.settle(() => title()?.click());
    panel.body.removeSection(budgetSection);
    await panel.settle(() => panel.body.addSection(budgetSection));
    expect(title()?.getAttribute('aria-expanded')).toBe('false');
    expect(new SectionMemory(window.localStorage).isOpen('budget')).toBe(false);
    await panel.settle(() => title()?.click());
    expect(new SectionMemory(window.localStorage).isOpen('budget')).toBe(true);
  });

  it('leads to a section, which it opens', async () => {
    await panel.show('active');
    await panel.settle(() =>
      panel.section('budget')?.querySelector('button')?.click()
    );
    await panel.settle(() => panel.body.focusSection('budget'));
    expect(document.activeElement?.textContent).toBe('Edit');
  });

  it('draws nothing while it is hidden', async () => {
    await panel.show('active');
    panel.body.hide();
    await panel.settle(() => panel.model.show(sampleState('held')));
    expect(panel.text('budget')).toContain('$9.80');
    await panel.settle(() => panel.body.show());
    expect(panel.text('budget')).toContain('$2.50');
  });

  it('loads further sections when it is shown, and draws all of them together', async () => {
    await panel.show('active');
    panel.body.hide();
    let respond = (): void => undefined;
    const sections = new Promise<(typeof further)[]>(resolve => {
      respond = () => resolve([further]);
    });
    const further = { ...budgetSection, id: 'further', rank: 1 };
    const load = vi
      .fn(() => sections)
      .mockRejectedValueOnce(new Error('The server is gone.'));
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    const added = panel.body.addSections(load);
    const loaded = vi.fn();
    panel.body.loaded.connect(loaded);
    await panel.settle();
    expect(load).not.toHaveBeenCalled();
    await panel.settle(() => panel.body.show());
    expect(load).toHaveBeenCalledOnce();
    expect(warn).toHaveBeenCalledOnce();
    expect(panel.section('trust')).not.toBeNull();
    await panel.settle(() => panel.model.show(sampleState('held')));
    expect(panel.text('budget')).toContain('$9.80');
    loaded.mockClear();
    await panel.settle(respond);
    expect(loaded).toHaveBeenCalledOnce();
    expect(panel.section('further')).not.toBeNull();
    expect(panel.text('budget')).toContain('$2.50');
    await panel.settle(() => panel.body.update());
    expect(load).toHaveBeenCalledTimes(2);
    await panel.settle(() => added.dispose());
    expect(panel.section('further')).toBeNull();
  });

  it('opens a section that was led to before it was loaded, though it is collapsed', async () => {
    await panel.show('active');
    const further = { ...budgetSection, id: 'further', collapsed: true };
    panel.body.addSections(() => Promise.resolve([further]));
    panel.body.focusSection('further');
    await panel.settle();
    const path = sampleState('active').path;
    expect(panel.body.isShown('further', path)).toBe(true);
  });

  it('shows what the page does not know', async () => {
    await panel.show('shared');
    await panel.settle(() =>
      panel.model.become({
        connection: 'unreachable',
        failure: unreachable()
      })
    );
    const heading = panel.find('.aumos-Panel-heading')?.textContent;
    expect(heading).toContain('and shares its session');
    expect(heading).toContain("Can't reach the server.");
    // Shown once, and not in each section.
    expect(panel.body.node.textContent).not.toContain('Failed to fetch');
  });

  it('is silent once disposed', async () => {
    await panel.show('active');
    panel.body.dispose();
    expect(() => panel.model.show(sampleState('fresh'))).not.toThrow();
  });
});
