import { startSection } from '../../panel/sections/start';
import { sampleConfig } from '../support/samples';
import { type FakeKernel, REPLIES, StartScene } from '../support/starting';
import { panelOfEachTest, PATH } from './panelScene';

describe('the start in the panel', () => {
  const panel = panelOfEachTest();
  let scene: StartScene;
  let kernel: FakeKernel;

  beforeEach(async () => {
    scene = new StartScene(panel.model);
    kernel = scene.kernel;
    await panel.settle(() =>
      panel.body.addSection(startSection(scene.starter))
    );
  });

  const section = (): HTMLElement | null => panel.find('[data-section=start]');
  const level = (): HTMLSelectElement | null =>
    section()?.querySelector('select') ?? null;
  const budget = (): HTMLInputElement | null =>
    section()?.querySelector('input') ?? null;

  it('is for notebooks that are not governed', async () => {
    await panel.show('never_opened');
    expect(panel.text('start')).toContain('Governance is off: nothing');
    await panel.show('closed');
    expect(section()).not.toBeNull();
    await panel.show('active');
    expect(section()).toBeNull();
  });

  it('starts by a user only, at the defaults of the server', async () => {
    await panel.show('never_opened');
    expect([level()?.value, budget()?.value]).toEqual(['2', '10']);
    await panel.press('Start governing');
    expect(scene.changes).toEqual([]);
    await panel.userPress('Start governing');
    expect(scene.changes).toEqual([[PATH, { trust_level: 2, budget: '10' }]]);
    expect(panel.model.learnt).toHaveLength(1);
    expect(kernel.requests).toHaveLength(1);
  });

  it('starts with what the user chose', async () => {
    await panel.show('never_opened');
    await panel.settle(() => choose(level(), '3'));
    await panel.type('2.50');
    expect(panel.text('start')).toContain('Each action waits until');
    await panel.userPress('Start governing');
    expect(scene.changes).toEqual([[PATH, { trust_level: 3, budget: '2.5' }]]);
  });

  it('keeps within what the server allows', async () => {
    await panel.settle(() =>
      panel.model.become({
        config: {
          ...sampleConfig(),
          max_budget: '5',
          max_trust_level: 1,
          default_budget: '5',
          default_trust_level: 1
        }
      })
    );
    await panel.show('never_opened');
    expect(level()?.options).toHaveLength(2);
    for (const [text, reason] of [
      ['5.01', 'The server allows at most $5.00.'],
      ['much', 'Enter an amount in dollars']
    ] as const) {
      await panel.type(text);
      expect(panel.text('start')).toContain(reason);
      await panel.userPress('Start governing');
    }
    expect(scene.changes).toEqual([]);
  });

  it('waits for the configuration, and is disabled for a user who may only look', async () => {
    await panel.settle(() => panel.model.become({ config: null }));
    await panel.show('never_opened');
    await panel.userPress('Start governing');
    await panel.settle(() => panel.model.become({ mayChange: false }));
    await panel.userPress('Start governing');
    expect(scene.changes).toEqual([]);
  });

  it('shows why it was not started', async () => {
    scene.refusal = new Error('No more sessions today.');
    await panel.show('never_opened');
    await panel.userPress('Start governing');
    expect(panel.text('start')).toContain('No more sessions today.');
    expect(kernel.requests).toEqual([]);
  });

  it('shows what a kernel lacks before anything is started', async () => {
    scene.kernel.found.push(REPLIES.absent);
    await panel.show('never_opened');
    expect(panel.text('start')).toContain(
      'cannot import aumos_governance. Run this in a cell first:'
    );
    expect(panel.text('start')).toContain('%pip install aumos-governance');
    await panel.press('Check again');
    expect(panel.text('start')).not.toContain('cannot import');
    expect(scene.kernel.requests).toEqual([]);
  });

  it('shows what a kernel lacks, and tries again', async () => {
    kernel.replies.push(REPLIES.missing, REPLIES.loaded);
    await panel.show('never_opened');
    await panel.settle(() => void scene.starter.load(PATH));
    await panel.show('active');
    expect(panel.text('start')).toContain('cannot import aumos_governance');
    const command = `%pip install aumos-governance==${panel.model.config?.version}`;
    expect(panel.text('start')).toContain(command);
    await panel.press('Copy');
    expect(scene.copied).toEqual([command]);
    await panel.press('Try again');
    expect(section()).toBeNull();
  });

  it('shows that a cell runs first', async () => {
    kernel.status = 'busy';
    kernel.replies.push(new Promise(() => undefined));
    await panel.show('active');
    await panel.settle(() => void scene.starter.load(PATH));
    expect(panel.text('start')).toContain('loaded when it has ended');
  });

  it('names the language of a kernel that is not Python', async () => {
    kernel.language = 'R';
    await panel.show('active');
    await panel.settle(() => void scene.starter.load(PATH));
    expect(panel.text('start')).toContain('This kernel runs R.');
  });

  it('has code to copy and examples to open', async () => {
    await panel.show('never_opened');
    await panel.press('Copy');
    expect(scene.copied[0]).toContain('client = govern(OpenAI())');
    await panel.press('Governed calls');
    expect(scene.examples).toEqual([['governed-calls', 'research']]);
    expect(scene.opened).toEqual(['research/governed-calls.ipynb']);
  });
});

function choose(select: HTMLSelectElement | null, value: string): void {
  if (select) {
    select.value = value;
    select.dispatchEvent(new Event('change', { bubbles: true }));
  }
}
