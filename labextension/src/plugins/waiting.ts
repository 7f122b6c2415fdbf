import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { WaitingCells } from '../cells/waitingCells';
import { NotebookNavigation } from '../state/notebookNavigation';
import {
  type IApprovalsInPage,
  IWaitingApprovals,
  WaitingApprovals
} from '../state/waitingApprovals';
import { WaitingLimits } from '../state/waitingLimits';
import { WaitingReports } from '../state/waitingReports';
import { IGovernanceModel, IGovernancePanel } from '../tokens';
import type { Highlight } from '../widgets/highlighting';
import { loadViews, once } from './later';

/** How many animation frames a notebook needs after it has scrolled until the cells in view are drawn. */
const FRAMES = 6;

/**
 * Shows approval requests, calls at a limit and reports in the panel; approval requests and calls also below their
 * cell.
 */
export const waitingPlugin: JupyterFrontEndPlugin<IApprovalsInPage> = {
  id: 'aumos-governance:waiting',
  description:
    'Shows waiting requests in the side panel and under their cells, and reports in the side panel.',
  autoStart: true,
  requires: [IGovernanceModel, IGovernancePanel, INotebookTracker],
  optional: [IEditorLanguageRegistry],
  provides: IWaitingApprovals,
  activate: (
    app: JupyterFrontEnd,
    model: IGovernanceModel,
    panel: IGovernancePanel,
    tracker: INotebookTracker,
    languages: IEditorLanguageRegistry | null
  ): IApprovalsInPage => {
    const { notation, trans } = panel;
    const { audit, waiting: api } = panel.api;
    const { contents } = app.serviceManager;
    const { commands } = app;
    const store = new WaitingApprovals({ api, audit, model });
    const limits = new WaitingLimits({ api, model });
    const navigation = new NotebookNavigation({ commands, tracker, contents });
    const highlight = languages && highlighting(languages);
    const common = { highlight, model, notation, trans };
    const views = once(async () => {
      const { DecisionDialog, DenyDialog, ...others } = await loadViews();
      const decisions = new DecisionDialog({ ...common, navigation, store });
      const denials = new DenyDialog({ model, notation, store: limits, trans });
      const actions = {
        raise: (path: string, budget: string) =>
          panel.proposeBudget(path, budget),
        deny: denials.open.bind(denials)
      };
      return { ...others, actions, decisions };
    });
    const cells = new WaitingCells({
      approvals: store,
      contents,
      limits,
      loadCards: async () => {
        const { actions, decisions, WaitingCard } = await views();
        return onDecided =>
          new WaitingCard({ ...common, actions, decisions, onDecided });
      },
      tracker
    });
    const reports = new WaitingReports({ api, model });
    panel.addSections(async () => {
      const { actions, decisions, ...sections } = await views();
      return [
        sections.approvalsSection(store, decisions, highlight),
        sections.reportsSection(reports),
        sections.limitsSection(limits, actions)
      ];
    });
    const changed = new Signal<unknown, void>({});
    const notify = (): void => {
      panel.setWaiting(store.entries.length + limits.entries.length);
      changed.emit();
    };
    store.changed.connect(notify);
    limits.changed.connect(notify);
    reports.changed.connect(notify);
    return {
      get entries() {
        return store.entries;
      },
      get isKnown() {
        return store.isKnown;
      },
      get atLimit() {
        return limits.entries;
      },
      get toReview() {
        return reports.entries.length;
      },
      changed,
      isInView: entry => cells.isInView(entry),
      viewed: cells.viewed,
      lead: async entry => {
        const { cell, notebook } = entry;
        if (cell.id !== null) {
          await navigation.goTo(notebook, cell);
          await notebookDrawn();
        }
        if (!cells.lead(entry)) {
          panel.reveal('status' in entry ? 'approvals' : 'limits');
        }
      }
    };
  }
};

/** Wait until a notebook that was brought to the front has the focus and has drawn the cells in view. */
async function notebookDrawn(): Promise<void> {
  for (let frame = 0; frame < FRAMES; frame += 1) {
    await new Promise(resolve => requestAnimationFrame(resolve));
  }
}

/** Return a function that highlights Python code (with magics) as JupyterLab's editor does. */
function highlighting(languages: IEditorLanguageRegistry): Highlight {
  return (code, node) =>
    languages.highlight(code, languages.findByMIME('text/x-ipython'), node);
}
