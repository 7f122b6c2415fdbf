import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { approvalsSection } from '../panel/sections/approvals';
import { reportsSection } from '../panel/sections/reports';
import { IGovernanceModel, IGovernancePanel } from '../tokens';
import { IWaitingApprovals, WaitingApprovals } from '../state/waitingApprovals';
import { WaitingReports } from '../state/waitingReports';

/** Shows what waits for a person's answer, and what was done and nobody has seen. */
export const waitingPlugin: JupyterFrontEndPlugin<IWaitingApprovals> = {
  id: 'aumos-governance:waiting',
  description: 'Shows approvals and reports in the side panel.',
  autoStart: true,
  requires: [IGovernanceModel, IGovernancePanel],
  provides: IWaitingApprovals,
  activate: (
    _: JupyterFrontEnd,
    model: IGovernanceModel,
    panel: IGovernancePanel
  ): IWaitingApprovals => {
    const { audit, waiting: api } = panel.api;
    const approvals = new WaitingApprovals({ api, audit, model });
    panel.addSection(approvalsSection(approvals));
    panel.addSection(reportsSection(new WaitingReports({ api, model })));
    return approvals;
  }
};
