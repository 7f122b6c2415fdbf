import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { AuditApi } from '../server/auditApi';
import { SessionApi } from '../server/sessionApi';
import { WaitingApi } from '../server/waitingApi';
import { TRANSLATION_DOMAIN } from '../words/labels';
import { Notation, shownLocale } from '../words/notation';
import { NotebookNavigation } from '../state/notebookNavigation';
import { GovernancePanel } from '../panel/panel';
import { SectionMemory } from '../panel/sectionMemory';
import { PanelSubject } from '../panel/subject';
import { type GovernanceSettings, ISettings } from '../state/settings';
import { IGovernanceModel, IGovernancePanel } from '../tokens';
import { loadViews, loadViewsAfter } from './later';

/**
 * Provides the side panel, and adds it to the right area of JupyterLab or Notebook 7 unless the user's settings hide
 * it.
 */
export const panelPlugin: JupyterFrontEndPlugin<IGovernancePanel> = {
  id: 'aumos-governance:panel',
  description:
    'Shows trust level, budget, spending and waiting requests in a side panel.',
  autoStart: true,
  requires: [IGovernanceModel, INotebookTracker, ISettings],
  optional: [ITranslator, ILayoutRestorer, ISettingRegistry],
  provides: IGovernancePanel,
  activate: (
    app: JupyterFrontEnd,
    model: IGovernanceModel,
    tracker: INotebookTracker,
    settings: GovernanceSettings,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    registry: ISettingRegistry | null
  ): IGovernancePanel => {
    const { contents, serverSettings } = app.serviceManager;
    const subject = new PanelSubject(model);
    const panel = new GovernancePanel({
      model,
      subject,
      api: {
        session: new SessionApi({ serverSettings }),
        waiting: new WaitingApi({ serverSettings }),
        audit: new AuditApi({ serverSettings })
      },
      trans: (translator ?? nullTranslator).load(TRANSLATION_DOMAIN),
      translator: translator ?? nullTranslator,
      navigation: new NotebookNavigation({
        commands: app.commands,
        tracker,
        contents
      }),
      notation: new Notation(shownLocale(translator, registry)),
      memory: new SectionMemory(window.localStorage),
      activate: ({ id }) => app.shell.activateById(id)
    });
    panel.addSections(async () => (await loadViews()).panelSections(subject));
    loadViewsAfter(app.restored);
    const showOrHide = (): void => {
      if (!settings.current.showPanel) {
        panel.parent = null;
      } else if (panel.parent === null) {
        app.shell.add(panel, 'right', { rank: 600, type: 'Governance' });
      }
    };
    showOrHide();
    settings.changed.connect(showOrHide);
    restorer?.add(panel, panel.id);
    return panel;
  }
};
