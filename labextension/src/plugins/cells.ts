import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import {
  INotebookTracker,
  NotebookActions,
  type NotebookPanel
} from '@jupyterlab/notebook';
import { CostLearner } from '../cells/costLearner';
import type { ICellToRun } from '../cells/estimate';
import { LearnedCosts } from '../cells/learnedCosts';
import { announcer, CommandIds } from '../commands';
import { CellReceipts } from '../receipts/cellReceipts';
import { ReceiptBook } from '../receipts/receiptBook';
import { type GovernanceSettings, ISettings } from '../state/settings';
import { IGovernanceModel, IGovernancePanel } from '../tokens';
import { loadViews } from './later';

/** Shows beside each cell what it spent, and stores what each cell cost for later estimates. */
export const receiptsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'aumos-governance:receipts',
  description: 'Shows beside each cell what its last run spent.',
  autoStart: true,
  requires: [IGovernanceModel, IGovernancePanel, INotebookTracker, ISettings],
  activate: (
    app: JupyterFrontEnd,
    model: IGovernanceModel,
    panel: IGovernancePanel,
    tracker: INotebookTracker,
    settings: GovernanceSettings
  ): void => {
    const { contents } = app.serviceManager;
    const { trans } = panel;
    const book = new ReceiptBook(panel.api.audit);
    new CellReceipts({ book, model, tracker, contents, settings, trans });
    new CostLearner({
      learned: new LearnedCosts(window.localStorage),
      model,
      pathOf: cell => {
        const notebook = tracker.find(({ content }) =>
          content.widgets.includes(cell)
        );
        return notebook ? contents.localPath(notebook.context.path) : null;
      },
      totals: book,
      scheduled: NotebookActions.executionScheduled,
      executed: NotebookActions.executed
    });
  }
};

/** Adds the command that shows the estimated cost of all cells, and runs the cells if the user confirms. */
export const pricePlugin: JupyterFrontEndPlugin<void> = {
  id: 'aumos-governance:price',
  description:
    'Estimates what all cells cost, from their sources and earlier runs, before it runs them.',
  autoStart: true,
  requires: [IGovernanceModel, IGovernancePanel, INotebookTracker],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    model: IGovernanceModel,
    { trans }: IGovernancePanel,
    tracker: INotebookTracker,
    palette: ICommandPalette | null
  ): void => {
    const { commands } = app;
    const { contents } = app.serviceManager;
    const learned = new LearnedCosts(window.localStorage);
    const command = CommandIds.runAllWithPrice;
    const isShown = (): boolean => model.path !== null;
    commands.addCommand(command, {
      label: trans.__('Estimate Cost and Run All Cells…'),
      isEnabled: isShown,
      execute: async () => {
        const panel = tracker.currentWidget;
        if (!panel) {
          return;
        }
        const path = contents.localPath(panel.context.path);
        const { confirmRun, estimate } = await loadViews();
        const estimated = estimate(cellsOf(panel), source =>
          learned.of(path, source)
        );
        const goTo = (index: number): void => {
          panel.content.activeCellIndex = index;
          void panel.content.scrollToItem(index, 'center');
          panel.content.activate();
        };
        if (await confirmRun(estimated, model.stateOf(path), goTo, trans)) {
          await commands.execute('notebook:run-all-cells');
        }
      }
    });
    model.changed.connect(announcer(commands, new Map([[command, isShown]])));
    palette?.addItem({ command, category: trans.__('Governance') });
  }
};

function cellsOf(panel: NotebookPanel): ICellToRun[] {
  return panel.content.widgets.map(({ model }) => {
    const name: unknown = model.getMetadata('name');
    return {
      source: model.sharedModel.getSource(),
      isCode: model.type === 'code',
      name: typeof name === 'string' && name.trim() !== '' ? name : null
    };
  });
}
