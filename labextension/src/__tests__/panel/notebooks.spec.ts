import { panelOfEachTest, PATH } from './panelScene';
import { sampleState } from '../support/samples';

describe('the notebooks in the panel', () => {
  const panel = panelOfEachTest();

  beforeEach(async () => {
    panel.notebooks = [
      sampleState('active', { path: 'a/one.ipynb' }),
      sampleState('closed', { path: 'two.ipynb' })
    ];
    await panel.show('active');
    await panel.settle(() => panel.model.become({ revision: 1 }));
  });

  it('with an open session are listed, and the others on demand', async () => {
    expect(panel.text('notebooks')).toContain('one.ipynb');
    expect(panel.text('notebooks')).not.toContain('two.ipynb');
    await panel.press('Show 1 closed session');
    expect(panel.text('notebooks')).toContain(
      'two.ipynbL2 · closed, $0.20 spent'
    );
  });

  it('are not denied while a session that began is not listed yet', async () => {
    panel.notebooks = [];
    await panel.settle(() => panel.model.become({ revision: 2 }));
    expect(panel.text('notebooks')).toBe('');
    await panel.show('closed');
    expect(panel.text('notebooks')).toContain('No notebook has an open');
  });

  it('can be followed and opened', async () => {
    await panel.press('Show one.ipynb in this panel');
    expect(panel.subject.path).toBe('a/one.ipynb');
    expect(panel.model.learnt).toEqual([panel.notebooks[0]]);
    expect(panel.find('.aumos-Panel-heading')?.textContent).toContain(
      'Not the notebook in front.'
    );
    await panel.press('Back');
    expect(panel.subject.path).toBe(PATH);
    await panel.press('Open one.ipynb');
    expect(panel.opened).toEqual(['a/one.ipynb']);
  });
});
