import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Clipboard } from '@jupyterlab/apputils';
import { GatewayApi } from '../server/gatewayApi';
import { IGovernancePanel } from '../tokens';
import { loadViews } from './later';

/** Adds the section with the gateway's keys to the side panel; the section is hidden if the server has no gateway. */
export const gatewayPlugin: JupyterFrontEndPlugin<void> = {
  id: 'aumos-governance:gateway',
  description:
    'Shows the keys of the gateway in the side panel, and stops the calls of a notebook.',
  autoStart: true,
  requires: [IGovernancePanel],
  activate: (app: JupyterFrontEnd, panel: IGovernancePanel): void => {
    const { serverSettings } = app.serviceManager;
    panel.addSections(async () => {
      const { gatewaySection, KeyDialog } = await loadViews();
      const dialog = new KeyDialog({
        trans: panel.trans,
        copy: text => Clipboard.copyToSystem(text)
      });
      return [
        gatewaySection({
          api: new GatewayApi({ serverSettings }),
          showKey: created => dialog.open(created)
        })
      ];
    });
  }
};
