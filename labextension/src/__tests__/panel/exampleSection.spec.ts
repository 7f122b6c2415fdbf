import { exampleSection } from './exampleSection';
import { panelOfEachTest, PATH } from './panelScene';

describe('a section of the panel', () => {
  const scene = panelOfEachTest();

  function ids(): (string | undefined)[] {
    return scene.findAll('[data-section]').map(node => node.dataset.section);
  }

  beforeEach(async () => {
    scene.kernels = [
      {
        id: '1',
        notebook: PATH,
        reachable: true,
        transport: 'socket',
        foreign_keys: []
      },
      {
        id: '2',
        notebook: 'b.ipynb',
        reachable: true,
        transport: null,
        foreign_keys: []
      }
    ];
    await scene.settle(() => scene.body.addSection(exampleSection));
  });

  it('is placed by its rank, and loads what it shows', async () => {
    await scene.show('active');
    expect(scene.text('example')).toBe('1 kernel');
    const shown = ids();
    expect(shown.slice(0, 3)).toEqual(['trust', 'example', 'budget']);
  });

  it('is left out where there is nothing to show, and once it is removed', async () => {
    await scene.show('closed');
    expect(ids()).not.toContain('example');
    await scene.show('active', { seq: 99 });
    expect(ids()).toContain('example');
    await scene.settle(() => scene.body.removeSection(exampleSection));
    expect(ids()).not.toContain('example');
  });

  it('shows why it cannot be loaded', async () => {
    scene.refusal = new Error('The ledger cannot be used now.');
    await scene.show('active');
    expect(scene.text('example')).toContain('The ledger cannot be used now.');
  });
});
