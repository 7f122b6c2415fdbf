import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { GovernanceApi } from '../server/api';
import { ServerEvents } from '../server/events';
import { FrontNotebook } from '../state/frontNotebook';
import { TRANSLATION_DOMAIN } from '../words/labels';
import { GovernanceModel } from '../state/model';
import { type GovernanceSettings, ISettings } from '../state/settings';
import { IStarter, type Starter } from '../state/starter';
import { GovernanceStatusItem } from '../status/statusItem';
import {
  type IApprovalsInPage,
  IWaitingApprovals
} from '../state/waitingApprovals';
import { IGovernanceModel } from '../tokens';
import { AUDIT_TAB } from './audit';
import { loadViews } from './later';

/**
 * The longest time that the event connection waits for the end of JupyterLab's start, in milliseconds. Another
 * extension may delay that end.
 */
const PATIENCE = 5000;

/**
 * Provides the model, and informs it when another notebook comes to the front or the notebook in front gets another
 * kernel.
 */
export const modelPlugin: JupyterFrontEndPlugin<IGovernanceModel> = {
  id: 'aumos-governance:model',
  description:
    "Keeps the governance state of the server's notebooks current by its events.",
  autoStart: true,
  requires: [INotebookTracker],
  provides: IGovernanceModel,
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker
  ): IGovernanceModel => {
    const { contents, serverSettings } = app.serviceManager;
    const model = new GovernanceModel({
      api: new GovernanceApi({ serverSettings }),
      // JupyterLab's own requests go first; before the end of its start, the status item is not visible anyway.
      events: new ServerEvents({
        serverSettings,
        after: Promise.race([app.restored, delay(PATIENCE)])
      })
    });
    const front = new FrontNotebook({
      shell: app.shell,
      tracker,
      contents,
      isCompanion: widget => widget.id === AUDIT_TAB
    });
    front.pathChanged.connect((_, path) => model.show(path));
    front.kernelChanged.connect(() => model.noteKernel());
    model.show(front.path);
    return model;
  }
};

/**
 * Shows the figures of the notebook in front in the status bar. Notebook 7 has no status bar; they are in its top area.
 */
export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: 'aumos-governance:status',
  description:
    'Shows trust level and remaining budget of the notebook in front.',
  autoStart: true,
  requires: [IGovernanceModel, ISettings],
  optional: [IStatusBar, ITranslator, IWaitingApprovals, IStarter],
  activate: (
    app: JupyterFrontEnd,
    model: IGovernanceModel,
    settings: GovernanceSettings,
    statusBar: IStatusBar | null,
    translator: ITranslator | null,
    approvals: IApprovalsInPage | null,
    starter: Starter | null
  ): void => {
    const item = new GovernanceStatusItem({
      model,
      trans: (translator ?? nullTranslator).load(TRANSLATION_DOMAIN),
      settings,
      ...(approvals && { approvals }),
      starter,
      loadPopover: async () => (await loadViews()).GovernancePopover
    });
    if (statusBar) {
      statusBar.registerStatusItem(statusPlugin.id, {
        item,
        align: 'left',
        rank: 3,
        isActive: () => item.isActive,
        activeStateChanged: item.activeChanged
      });
    } else {
      app.shell.add(item, 'top', { rank: 900 });
    }
  }
};

function delay(milliseconds: number): Promise<void> {
  return new Promise(resolve => {
    window.setTimeout(resolve, milliseconds);
  });
}
