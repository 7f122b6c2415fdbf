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
 * The longest delay of the event connection, in milliseconds: another extension may delay the end of JupyterLab's
 * start.
 */
const PATIENCE = 5000;

/** Provides the model, and keeps it informed of which notebook is in front and of its kernel. */
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
      // JupyterLab's own requests at its start come first; the status item is not visible before.
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

/** Shows the notebook in front in the status bar, or in the top area of Notebook 7, which has no status bar. */
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
