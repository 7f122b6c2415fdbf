import type { Cell } from '@jupyterlab/cells';
import { Signal } from '@lumino/signaling';
import { CostLearner, type ICellRun } from '../../cells/costLearner';
import type { LearnedCosts } from '../../cells/learnedCosts';
import { FakeModel } from '../support/fakes';
import { sampleState } from '../support/samples';

const PATH = 'research/agents.ipynb';

describe('CostLearner', () => {
  let model: FakeModel;
  let learned: [string, string, bigint][];
  let spent: bigint;
  let isRead: boolean;
  let reading: Promise<void>;
  const scheduled = new Signal<object, ICellRun>({});
  const executed = new Signal<object, ICellRun>({});
  let source: string;
  const cell = {
    model: { id: 'c-1', type: 'code', sharedModel: { getSource: () => source } }
  } as unknown as Cell;

  async function run(cost: bigint, success = true): Promise<void> {
    scheduled.emit({ cell });
    spent += cost;
    executed.emit({ cell, success });
    await new Promise(resolve => setTimeout(resolve));
  }

  beforeEach(() => {
    Signal.clearData(scheduled.sender);
    Signal.clearData(executed.sender);
    model = new FakeModel();
    model.show(sampleState('active', { path: PATH }));
    learned = [];
    spent = 7n;
    isRead = true;
    source = 'ask()';
    reading = Promise.resolve();
    new CostLearner({
      learned: {
        learn: (...what: [string, string, bigint]) => learned.push(what)
      } as unknown as LearnedCosts,
      model,
      pathOf: () => PATH,
      totals: {
        isRead: () => isRead,
        total: () => spent,
        read: () => reading
      },
      scheduled,
      executed
    });
  });

  it('learns what each run cost, by the source that ran', async () => {
    await run(5n);
    source = 'other()';
    await run(0n);
    expect(learned).toEqual([
      [PATH, 'ask()', 5n],
      [PATH, 'other()', 0n]
    ]);
  });

  it('learns nothing from a run that failed, or that nothing was known before', async () => {
    await run(5n, false);
    isRead = false;
    await run(5n);
    reading = Promise.reject(new Error('Out of reach.'));
    isRead = true;
    await run(5n);
    expect(learned).toEqual([]);
  });

  it('learns from the first run of a notebook that had no session', async () => {
    model.show(sampleState('never_opened', { path: PATH }));
    isRead = false;
    spent = 0n;
    scheduled.emit({ cell });
    spent = 4n;
    executed.emit({ cell, success: true });
    await new Promise(resolve => setTimeout(resolve));
    expect(learned).toEqual([[PATH, 'ask()', 4n]]);
  });

  it('does not take a run without a session for free', async () => {
    model.show(sampleState('never_opened', { path: PATH }));
    await run(0n);
    expect(learned).toEqual([]);
  });

  it('learns nothing where runs of one cell overlap, and goes on after them', async () => {
    scheduled.emit({ cell });
    scheduled.emit({ cell });
    spent += 3n;
    executed.emit({ cell, success: true });
    executed.emit({ cell, success: true });
    await new Promise(resolve => setTimeout(resolve));
    expect(learned).toEqual([]);
    await run(5n);
    expect(learned).toEqual([[PATH, 'ask()', 5n]]);
  });
});
