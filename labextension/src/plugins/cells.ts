import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { CommandIds } from '../commands';
import { ISettings } from '../state/settings';
import { askToRun } from '../cells/pricePrompt';
import { CellReceipts } from '../receipts/cellReceipts';
import { ReceiptBook } from '../receipts/receiptBook';
import type { GovernanceSettings } from '../state/settings';
import { statedCosts } from '../cells/statedCosts';
import { IGovernanceModel, IGovernancePanel } from '../tokens';

/** Shows beside each cell what it spent. */
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
    new CellReceipts({
      book: new ReceiptBook(panel.api.audit),
      model,
      tracker,
      contents: app.serviceManager.contents,
      settings,
      trans: panel.trans
    });
  }
};

/** Adds up what the cells state that they cost, before they are run. */
export const pricePlugin: JupyterFrontEndPlugin<void> = {
  id: 'aumos-governance:price',
  description: 'Shows what all cells state that they cost, and then runs them.',
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
    const command = CommandIds.runAllWithPrice;
    commands.addCommand(command, {
      label: trans.__('Show the Price and Run All Cells…'),
      isEnabled: () => model.path !== null,
      execute: async () => {
        const cells = tracker.currentWidget?.content.widgets ?? [];
        const costs = statedCosts(
          cells.map(({ model: { type, sharedModel } }) => ({
            source: sharedModel.getSource(),
            isCode: type === 'code'
          }))
        );
        if (await askToRun(costs, model.state, trans)) {
          await commands.execute('notebook:run-all-cells');
        }
      }
    });
    palette?.addItem({ command, category: trans.__('Governance') });
  }
};
