import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ExportFormat } from './server/auditApi';
import { governanceIcon } from './icons';
import type { IGovernanceModel, IGovernancePanel } from './tokens';

/** The ids of the commands; the schema's menus and shortcuts name them too. */
export const CommandIds = {
  openPanel: 'aumos-governance:open-panel',
  goToTrustLevel: 'aumos-governance:go-to-trust-level',
  goToBudget: 'aumos-governance:go-to-budget',
  goToNextApproval: 'aumos-governance:go-to-next-approval',
  goToCloseSession: 'aumos-governance:go-to-close-session',
  exportAudit: 'aumos-governance:export-audit',
  openExample: 'aumos-governance:open-example',
  runAllWithPrice: 'aumos-governance:run-all-with-price'
} as const;

/**
 * Add the commands to the registry.
 *
 * None of them decides anything, since agents can run commands: they lead to the control that a
 * person presses.
 */
export function addCommands(options: ICommandOptions): void {
  const { commands, model, panel, trans, download } = options;
  const isShown = (): boolean => model.path !== null;
  const isActive = (): boolean => model.state?.active === true;
  const leads: [string, string, string, () => boolean][] = [
    [
      CommandIds.goToTrustLevel,
      trans.__('Go to the Trust Level'),
      'trust',
      isActive
    ],
    [CommandIds.goToBudget, trans.__('Go to the Budget'), 'budget', isActive],
    [
      CommandIds.goToCloseSession,
      trans.__('Close Governance Session…'),
      'session',
      isActive
    ],
    [
      CommandIds.goToNextApproval,
      trans.__('Go to the Next Approval'),
      'approvals',
      () => true
    ]
  ];
  commands.addCommand(CommandIds.openPanel, {
    label: trans.__('Governance'),
    caption: trans.__('Show trust level and budget in the side panel'),
    icon: args => (args.isPalette ? undefined : governanceIcon),
    execute: () => panel.reveal(null)
  });
  for (const [id, label, section, isEnabled] of leads) {
    commands.addCommand(id, {
      label,
      isEnabled,
      execute: () => panel.reveal(section)
    });
  }
  commands.addCommand(CommandIds.exportAudit, {
    label: args =>
      formatOf(args) === 'csv'
        ? trans.__('Export the Audit Record (CSV)')
        : trans.__('Export the Audit Record (JSON Lines)'),
    isEnabled: isShown,
    execute: args => {
      const { path } = model;
      if (path !== null) {
        download(panel.api.audit.exportUrl(formatOf(args), { path }));
      }
    }
  });
}

/** What the commands work with. */
export interface ICommandOptions {
  commands: CommandRegistry;
  model: IGovernanceModel;
  panel: IGovernancePanel;
  trans: TranslationBundle;
  /** Lets the browser save what is at an address. */
  download: (url: string) => void;
}

function formatOf(args: Readonly<Record<string, unknown>>): ExportFormat {
  return args.format === 'jsonl' ? 'jsonl' : 'csv';
}
