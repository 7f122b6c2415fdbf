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
import { AUDIT_TAB, AuditView } from '../audit/auditView';
import { CommandIds } from '../commands';
import { governanceIcon } from '../icons';
import { NotebookNavigation } from '../state/notebookNavigation';
import { auditSection } from '../panel/sections/auditBrief';
import { spendingSection } from '../panel/sections/spending';
import type { IAuditRecord } from '../protocol/audit';
import { IGovernanceModel, IGovernancePanel } from '../tokens';

/** Shows the audit record: the newest records in the side panel, and all in a tab. */
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
    const open = (path: string | null, record?: IAuditRecord): void => {
      const known = tabs.currentWidget;
      known?.content.look(path, record ?? null);
      const tab = known ?? add(path, record ?? null);
      void tabs.save(tab);
      shell.activateById(tab.id);
    };
    const add = (
      path: string | null,
      record: IAuditRecord | null
    ): MainAreaWidget<AuditView> => {
      const content = new AuditView({
        api,
        model,
        navigation,
        notation,
        trans
      });
      // Adding the content draws it; it must not load the records of all notebooks first.
      content.look(path, record);
      const tab = new MainAreaWidget({ content });
      // It is empty, and would be visible as a strip.
      tab.toolbar.hide();
      tab.id = AUDIT_TAB;
      tab.title.label = trans.__('Governance audit');
      tab.title.icon = governanceIcon;
      tab.title.closable = true;
      // Notebook 7 shows one document in its main area, and further tabs below it.
      const area = labShell ? 'main' : 'down';
      tab.addClass('aumos-AuditTab');
      tab.node.dataset.area = area;
      shell.add(tab, area);
      void tabs.add(tab);
      return tab;
    };
    panel.addSection(spendingSection);
    panel.addSection(auditSection(open));
    commands.addCommand(CommandIds.openAudit, {
      label: trans.__('Open Audit Record'),
      execute: args => {
        open(typeof args.path === 'string' ? args.path : model.path);
      }
    });
    palette?.addItem({
      command: CommandIds.openAudit,
      category: trans.__('Governance')
    });
    void restorer?.restore(tabs, {
      command: CommandIds.openAudit,
      args: ({ content }) => ({ path: content.path }),
      name: () => 'audit'
    });
  }
};
