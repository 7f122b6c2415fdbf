import type { IHold } from '../../protocol/waiting';
import { panelOfEachTest, PATH } from './panelScene';
import { holds } from '../support/samples';

describe('the holds in the panel', () => {
  const panel = panelOfEachTest();

  beforeEach(() => {
    panel.held = holds.valid.mixed.holds as IHold[];
  });

  it('are listed with where and when they were made', async () => {
    await panel.show('held');
    expect(panel.text('holds')).toContain('gpt-4o$0.05');
    expect(panel.text('holds')).toContain('In [4]9 min agoagent-7');
    expect(panel.find('.aumos-Hold time')?.title).toMatch(
      /^22\.11\.2026, \d\d:\d\d:\d\d$/
    );
    await panel.press('In [4]');
    expect(panel.opened).toEqual([PATH]);
  });

  it('with an unknown outcome come first', async () => {
    await panel.show('held');
    const first = panel.section('holds')?.querySelector('li');
    expect(first?.dataset.state).toBe('unresolved');
    expect(first?.textContent).toContain('the kernel of this call is gone');
    expect(
      panel.section('holds')?.querySelectorAll('.aumos-Actions').length
    ).toBe(1);
  });

  it('are released by a user only', async () => {
    await panel.show('held');
    await panel.press('Release');
    expect(panel.resolved).toEqual([]);
    await panel.userPress('Release');
    expect(panel.resolved).toEqual([
      ['0199a1b2c3d4e5f60718293a4b5c6d7f', null]
    ]);
  });

  it('are settled with their cost, by a user only', async () => {
    await panel.show('held');
    await panel.press('Settle…');
    expect(panel.text('holds')).toContain(
      'That is exactly the amount that was held.'
    );
    await panel.type('1.25');
    expect(panel.text('holds')).toContain('$0.25 is released.');
    await panel.press('Settle at $1.25');
    expect(panel.resolved).toEqual([]);
    await panel.userPress('Settle at $1.25');
    expect(panel.resolved).toEqual([
      ['0199a1b2c3d4e5f60718293a4b5c6d7f', '1.25']
    ]);
  });

  it('are read again when the notebook changes', async () => {
    await panel.show('held', { seq: 12 });
    panel.held = [];
    await panel.show('held', { seq: 13 });
    expect(panel.text('holds')).toBe('Nothing is held.');
  });

  it('of odd text are text', async () => {
    panel.held = holds.valid.odd_text.holds as IHold[];
    await panel.show('held');
    expect(panel.section('holds')?.querySelector('img, script, b')).toBeNull();
    expect(panel.text('holds')).toContain('<img src=x');
  });
});
