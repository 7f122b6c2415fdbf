import { panelOfEachTest, PATH } from './panelScene';
import { unreachable } from '../support/fakes';
import { sampleConfig } from '../support/samples';

describe('the trust level in the panel', () => {
  const panel = panelOfEachTest();

  const radios = (): HTMLElement[] => panel.findAll('[role=radio]');

  beforeEach(async () => {
    await panel.show('active');
    await panel.press(/^L2/);
  });

  it('offers six levels, a sentence each', () => {
    expect(radios()).toHaveLength(6);
    for (const radio of radios()) {
      expect(radio.querySelector('.aumos-Trust-sentence')?.textContent).toMatch(
        /\.$/
      );
    }
    expect(document.activeElement).toBe(radios()[2]);
  });

  it('is tightened at once', async () => {
    await panel.userPress(/^L1/);
    expect(panel.changes).toEqual([[PATH, { trust_level: 1 }]]);
    expect(radios()).toHaveLength(0);
    expect(panel.text('trust')).toMatch(/^L1/);
  });

  it('is loosened after a question only', async () => {
    await panel.userPress(/^L4/);
    expect(panel.changes).toEqual([]);
    await panel.userPress('Raise to L4');
    expect(panel.changes).toEqual([[PATH, { trust_level: 4 }]]);
  });

  it('is changed by no code in the page', async () => {
    for (const radio of radios()) {
      await panel.settle(() => radio.click());
    }
    await panel.userPress(/^L4/);
    await panel.press('Raise to L4');
    expect(panel.changes).toEqual([]);
  });

  it('goes through the levels by arrows, and closes on Escape', async () => {
    const key = async (name: string): Promise<void> =>
      panel.settle(() =>
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
    expect(panel.changes).toEqual([]);
    expect(document.activeElement?.className).toBe('aumos-Trust-current');
  });

  it('does not go above what the server allows', async () => {
    await panel.settle(() =>
      panel.model.become({ config: sampleConfig('classroom') })
    );
    expect(radios()[4]?.title).toBe('The server allows at most L3.');
    await panel.userPress(/^L4/);
    expect(panel.find('.aumos-Confirmation')).toBeNull();
  });

  it('shows when the server refuses', async () => {
    panel.refusal = new Error('The ledger cannot be written.');
    await panel.userPress(/^L0/);
    expect(
      panel.section('trust')?.querySelector('[role=alert]')?.textContent
    ).toBe('The ledger cannot be written.');
  });

  it('shows in its own words that the server does not respond', async () => {
    panel.refusal = unreachable();
    await panel.userPress(/^L0/);
    expect(
      panel.section('trust')?.querySelector('[role=alert]')?.textContent
    ).toBe("Can't reach the server.");
  });

  it('is disabled for a user who may only look, and shows why', async () => {
    await panel.settle(() => panel.model.become({ mayChange: false }));
    await panel.userPress(/^L0/);
    expect(panel.changes).toEqual([]);
    expect(radios()[0]?.title).toBe('You can view this, but not change it.');
  });
});
