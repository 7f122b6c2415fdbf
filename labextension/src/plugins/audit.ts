import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  MainAreaWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import type { AuditView } from '../audit/auditView';
import { CommandIds } from '../commands';
import { governanceIcon } from '../icons';
import { NotebookNavigation } from '../state/notebookNavigation';
import type { IAuditRecord } from '../protocol/audit';
import { IGovernanceModel, IGovernancePanel } from '../tokens';
import { loadViews } from './later';

/** The id of the tab with the audit record. */
export const AUDIT_TAB = 'aumos-governance-audit';

/** Shows the newest audit records and the spending charts in the side panel, and all records in a tab. */
export const auditPlugin: JupyterFrontEndPlugin<void> = {
  id: 'aumos-governance:audit',
  description: 'Shows the audit record in the side panel and in a tab.',
  autoStart: true,
  requires: [IGovernanceModel, IGovernancePanel, INotebookTracker],
  optional: [ILabShell, ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    model: IGovernanceModel,
    panel: IGovernancePanel,
    tracker: INotebookTracker,
    labShell: ILabShell | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ): void => {
    const { commands, serviceManager, shell } = app;
    const { api, notation, trans } = panel;
    const navigation = new NotebookNavigation({
      commands,
      tracker,
      contents: serviceManager.contents
    });
    const tabs = new WidgetTracker<MainAreaWidget<AuditView>>({
      namespace: 'aumos-governance-audit'
    });
    const show = async (select: (view: AuditView) => void): Promise<void> => {
      const views = await loadViews();
      const known = tabs.currentWidget;
      if (known) {
        select(known.content);
      }
      const tab = known ?? add(views, select);
      void tabs.save(tab);
      shell.activateById(tab.id);
    };
    const open = (path: string | null, record?: IAuditRecord): Promise<void> =>
      show(view => view.showRecords(path, record));
    const showDenials = (path: string | null): Promise<void> =>
      show(view => view.showDenials(path));
    const add = (
      { AuditView }: Awaited<ReturnType<typeof loadViews>>,
      select: (view: AuditView) => void
    ): MainAreaWidget<AuditView> => {
      const content = new AuditView({
        api,
        model,
        navigation,
        notation,
        trans
      });
      // The records are selected before the tab is drawn; else it would first load the records of all notebooks.
      select(content);
      const tab = new MainAreaWidget({ content });
      // The tab has no tools; its empty toolbar would be visible as a strip.
      tab.toolbar.hide();
      tab.id = AUDIT_TAB;
      tab.title.label = trans.__('Governance audit');
      tab.title.icon = governanceIcon;
      tab.title.closable = true;
      // Notebook 7 shows only one document in its main area, so there the tab goes into the area below.
      const area = labShell ? 'main' : 'down';
      tab.addClass('aumos-AuditTab');
      tab.node.dataset.area = area;
      shell.add(tab, area);
      void tabs.add(tab);
      return tab;
    };
    panel.addSections(async () => {
      const { auditSection, spendingSection } = await loadViews();
      return [
        spendingSection,
        auditSection(
          (...target) => void open(...target),
          path => void showDenials(path)
        )
      ];
    });
    commands.addCommand(CommandIds.openAudit, {
      label: trans.__('Open Audit Record'),
      execute: args =>
        open(typeof args.path === 'string' ? args.path : model.path)
    });
    commands.addCommand(CommandIds.showDenials, {
      label: trans.__('Show What Was Denied Today'),
      execute: () => showDenials(model.path)
    });
    const category = trans.__('Governance');
    for (const command of [CommandIds.openAudit, CommandIds.showDenials]) {
      palette?.addItem({ command, category });
    }
    void restorer?.restore(tabs, {
      command: CommandIds.openAudit,
      args: ({ content }) => ({ path: content.path }),
      name: () => 'audit'
    });
  }
};
