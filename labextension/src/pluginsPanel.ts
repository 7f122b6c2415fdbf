import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { AuditApi } from './apiAudit';
import { SessionApi } from './apiSession';
import { WaitingApi } from './apiWaiting';
import { TRANSLATION_DOMAIN } from './labels';
import { GovernancePanel } from './panel/panel';
import { PanelSubject } from './panel/subject';
import { IGovernanceModel, IGovernancePanel } from './tokens';

/** Provides the side panel, in the right area of JupyterLab and of Notebook 7. */
export const panelPlugin: JupyterFrontEndPlugin<IGovernancePanel> = {
  id: 'aumos-governance:panel',
  description:
    'Shows trust level, budget and what waits for a decision in a side panel.',
  autoStart: true,
  requires: [IGovernanceModel],
  optional: [ITranslator, ILayoutRestorer],
  provides: IGovernancePanel,
  activate: (
    app: JupyterFrontEnd,
    model: IGovernanceModel,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null
  ): IGovernancePanel => {
    const { serverSettings } = app.serviceManager;
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
      activate: ({ id }) => app.shell.activateById(id)
    });
    app.shell.add(panel, 'right', { rank: 600, type: 'Governance' });
    restorer?.add(panel, panel.id);
    return panel;
  }
};
