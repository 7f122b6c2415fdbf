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

/**
 * Provides the user's settings; until they are loaded, the default settings. It also sets the language of amounts and
 * times.
 */
export const settingsPlugin: JupyterFrontEndPlugin<GovernanceSettings> = {
  id: 'aumos-governance:settings',
  description: "Loads the user's governance settings.",
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
    // No plugin waits for the settings, so that a slow server does not delay JupyterLab's start.
    registry
      ?.load(settingsPlugin.id)
      .then(loaded => {
        const adopt = (): void => {
          // With each change the registry has a new schema, from which the settings editor takes its texts, so it must
          // be translated again.
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
        console.warn(
          'The governance settings could not be loaded; the default settings apply.',
          reason
        )
      );
    return settings;
  }
};

/** Adds the commands and their entries in the palette. Their menu items and shortcuts are in the settings schema. */
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
    const notifyChanged = addCommands({
      commands,
      model,
      panel,
      trans,
      waits: {
        // Until the first response it is unknown whether a request waits; the command stays enabled rather than being
        // disabled by mistake.
        hasApprovals: () => !waiting.isKnown || waiting.entries.length > 0,
        hasCallsAtLimit: () => waiting.atLimit.length > 0,
        hasReports: () => waiting.toReview > 0
      },
      download
    });
    model.changed.connect(notifyChanged);
    waiting.changed.connect(notifyChanged);
    const category = trans.__('Governance');
    for (const item of IN_PALETTE) {
      palette?.addItem({ ...item, category });
    }
  }
};

/** Shows denials, passed warning marks and waiting requests as notifications of JupyterLab. */
export const notificationsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'aumos-governance:notifications',
  description:
    'Notifies the user of denials, passed warning marks and waiting requests.',
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
    panel.seen.connect(() => notifications.dismissShown());
  }
};

function download(url: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  link.click();
}
