import { estimate, type ICellToRun } from '../../cells/estimate';
import { LearnedCosts } from '../../cells/learnedCosts';

const CENT = 10_000_000n;

const code = (source: string, name: string | null = null): ICellToRun => ({
  source,
  isCode: true,
  name
});

class FakeStorage {
  kept: string | null = null;
  isFull = false;

  getItem(): string | null {
    return this.kept;
  }

  setItem(_: string, value: string): void {
    if (this.isFull) {
      throw new Error('Full.');
    }
    this.kept = value;
  }
}

describe('estimate', () => {
  it('has a line for each cell that costs something or may', () => {
    const runs: Record<string, bigint[]> = {
      'ask()': [3n * CENT, CENT, 2n * CENT],
      'print(1)': [0n, 0n],
      '%governance_spend 0.5': [CENT]
    };
    const found = estimate(
      [
        { source: '# Text', isCode: false, name: null },
        code('%load_ext aumos_governance.jupyter_extension'),
        code('\n  %governance_spend 0.5'.trimStart()),
        code('ask()', 'Ask the model'),
        code('print(1)'),
        code('\n  other()\nmore()')
      ],
      source => runs[source] ?? []
    );
    expect(found).toEqual({
      lines: [
        {
          index: 2,
          name: '%governance_spend 0.5',
          cost: { kind: 'stated', low: 50n * CENT, high: 50n * CENT }
        },
        {
          index: 3,
          name: 'Ask the model',
          cost: { kind: 'learned', low: CENT, high: 3n * CENT, runs: 3 }
        },
        { index: 5, name: 'other()', cost: null }
      ],
      low: 51n * CENT,
      high: 53n * CENT,
      unknown: 1
    });
  });
});

describe('LearnedCosts', () => {
  it('knows the last runs of a source in a notebook, beyond a reload', () => {
    const storage = new FakeStorage();
    const learned = new LearnedCosts(storage);
    for (const cents of [1n, 2n, 3n, 4n, 5n, 6n]) {
      learned.learn('a.ipynb', 'ask()', cents * CENT);
    }
    const again = new LearnedCosts(storage);
    expect(again.of('a.ipynb', 'ask()')).toEqual(
      [2n, 3n, 4n, 5n, 6n].map(cents => cents * CENT)
    );
    expect(again.of('a.ipynb', 'ask() ')).toEqual([]);
    expect(again.of('b.ipynb', 'ask()')).toEqual([]);
    expect(storage.kept).not.toContain('ask');
  });

  it('forgets what ran longest ago', () => {
    const learned = new LearnedCosts(new FakeStorage());
    learned.learn('a.ipynb', 'first', CENT);
    learned.learn('a.ipynb', 'second', CENT);
    learned.learn('a.ipynb', 'first', CENT);
    for (let index = 0; index < 999; index += 1) {
      learned.learn('a.ipynb', `cell ${index}`, CENT);
    }
    expect(learned.of('a.ipynb', 'second')).toEqual([]);
    expect(learned.of('a.ipynb', 'first')).toEqual([CENT, CENT]);
  });

  it.each(['not JSON', '[]', 'null', '{"c1": ["x"]}', '{"c1": 5}'])(
    'takes what it cannot read for nothing: %s',
    kept => {
      const storage = new FakeStorage();
      storage.kept = kept;
      const learned = new LearnedCosts(storage);
      expect(learned.of('a.ipynb', 'ask()')).toEqual([]);
      learned.learn('a.ipynb', 'ask()', CENT);
      expect(learned.of('a.ipynb', 'ask()')).toEqual([CENT]);
    }
  );

  it('is nothing where the browser keeps nothing', () => {
    const storage = new FakeStorage();
    storage.isFull = true;
    const learned = new LearnedCosts(storage);
    learned.learn('a.ipynb', 'ask()', CENT);
    expect(learned.of('a.ipynb', 'ask()')).toEqual([]);
  });
});
