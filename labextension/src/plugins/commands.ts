import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { addCommands, IN_PALETTE } from '../commands';
import { GovernanceNotifications } from '../notices/notifications';
import { type INotice, type INotifier, SHOWN } from '../notices/toasts';
import { TRANSLATION_DOMAIN, writeTimesIn } from '../words/labels';
import { writeAmountsIn } from '../words/money';
import { shownLocale } from '../words/notation';
import { GovernanceSettings, ISettings } from '../state/settings';
import { translateSchema } from '../state/settingsSchema';
import { IGovernanceModel, IGovernancePanel } from '../tokens';
import {
  type IApprovalsInPage,
  IWaitingApprovals
} from '../state/waitingApprovals';

/** Provides the settings: the defaults until the user's own are loaded. */
export const settingsPlugin: JupyterFrontEndPlugin<GovernanceSettings> = {
  id: 'aumos-governance:settings',
  description: "Reads the user's settings of governance.",
  autoStart: true,
  optional: [ISettingRegistry, ITranslator],
  provides: ISettings,
  activate: (
    _: JupyterFrontEnd,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ): GovernanceSettings => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const settings = new GovernanceSettings();
    const locale = shownLocale(translator, registry);
    writeAmountsIn(locale);
    writeTimesIn(locale);
    // No plugin waits for it: a slow server does not delay the start.
    registry
      ?.load(settingsPlugin.id)
      .then(loaded => {
        const adopt = (): void => {
          // The registry loads the schema anew with each change, and the editor reads it there.
          const plugin = registry.plugins[settingsPlugin.id];
          if (plugin) {
            translateSchema(plugin.schema, trans);
          }
          settings.adopt(loaded.composite);
        };
        adopt();
        loaded.changed.connect(adopt);
      })
      .catch((reason: unknown) =>
        console.warn('The settings of governance could not be read.', reason)
      );
    return settings;
  }
};

/** Adds the commands; the settings schema puts them into menus and binds keys. */
export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'aumos-governance:commands',
  description: 'Adds commands that lead to the controls of the side panel.',
  autoStart: true,
  requires: [IGovernanceModel, IGovernancePanel, IWaitingApprovals],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    model: IGovernanceModel,
    panel: IGovernancePanel,
    waiting: IApprovalsInPage,
    palette: ICommandPalette | null
  ): void => {
    const { commands } = app;
    const { trans } = panel;
    const note = addCommands({
      commands,
      model,
      panel,
      trans,
      waits: {
        // While it is unknown, assume that something waits.
        hasApprovals: () => !waiting.isKnown || waiting.entries.length > 0,
        hasCallsAtLimit: () => waiting.atLimit.length > 0,
        hasReports: () => waiting.toReview > 0
      },
      download
    });
    model.changed.connect(note);
    waiting.changed.connect(note);
    const category = trans.__('Governance');
    for (const item of IN_PALETTE) {
      palette?.addItem({ ...item, category });
    }
  }
};

/** Notifies of denials, warning marks and waiting requests with the application's own notifications. */
export const notificationsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'aumos-governance:notifications',
  description:
    'Notifies of denials, warning marks and what waits for a decision.',
  autoStart: true,
  requires: [IGovernanceModel, IGovernancePanel, IWaitingApprovals, ISettings],
  activate: (
    _: JupyterFrontEnd,
    model: IGovernanceModel,
    panel: IGovernancePanel,
    waiting: IApprovalsInPage,
    settings: GovernanceSettings
  ): void => {
    const { trans } = panel;
    const notifier: INotifier = {
      show: (notice: INotice) => {
        const options = ({ action, raise, section, stays }: INotice) => ({
          autoClose: stays ? (false as const) : SHOWN,
          actions: [
            {
              label: action,
              callback: () =>
                raise
                  ? panel.proposeBudget(raise.path, raise.budget)
                  : panel.reveal(section)
            }
          ]
        });
        const id = Notification.emit(
          notice.message,
          notice.kind,
          options(notice)
        );
        return {
          update: (next: INotice) => {
            const { kind: type, message } = next;
            Notification.update({ id, type, message, ...options(next) });
          },
          dismiss: () => Notification.dismiss(id)
        };
      }
    };
    const { audit } = panel.api;
    const notifications = new GovernanceNotifications({
      model,
      audit,
      waiting,
      settings,
      notifier,
      isOnScreen: (section, path) => panel.isShown(section, path),
      trans
    });
    panel.seen.connect(() => notifications.look());
  }
};

function download(url: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  link.click();
}
