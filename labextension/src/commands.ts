import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ExportFormat } from './server/auditApi';
import type { IGovernanceModel, IGovernancePanel } from './tokens';

/** The ids of the commands. The settings schema (`schema/settings.json`) refers to them in menus and shortcuts. */
export const CommandIds = {
  openPanel: 'aumos-governance:open-panel',
  goToStart: 'aumos-governance:go-to-start',
  goToTrustLevel: 'aumos-governance:go-to-trust-level',
  goToBudget: 'aumos-governance:go-to-budget',
  goToNextApproval: 'aumos-governance:go-to-next-approval',
  goToReports: 'aumos-governance:go-to-reports',
  goToSpending: 'aumos-governance:go-to-spending',
  goToHolds: 'aumos-governance:go-to-holds',
  goToNotebooks: 'aumos-governance:go-to-notebooks',
  goToKeys: 'aumos-governance:go-to-keys',
  goToStop: 'aumos-governance:go-to-stop',
  goToCloseSession: 'aumos-governance:go-to-close-session',
  openAudit: 'aumos-governance:open-audit',
  showDenials: 'aumos-governance:show-denials',
  exportAudit: 'aumos-governance:export-audit',
  openExample: 'aumos-governance:open-example',
  runAllWithPrice: 'aumos-governance:run-all-with-price'
} as const;

/** The selector of JupyterLab's command palettes; while the user chooses a command, the focus is inside one of them. */
const PALETTE = '.lm-CommandPalette, .jp-ModalCommandPalette';
/**
 * How many animation frames JupyterLab may need until it has moved the focus back to a document after its palette has
 * closed.
 */
const FRAMES = 4;

/**
 * The commands in the palette, in order. Arguments must equal those of the command's shortcut in the settings schema,
 * or the palette does not show the shortcut.
 */
export const IN_PALETTE: readonly {
  command: string;
  args?: { format: ExportFormat };
}[] = [
  { command: CommandIds.openPanel },
  { command: CommandIds.goToStart },
  { command: CommandIds.goToNextApproval },
  { command: CommandIds.goToBudget },
  { command: CommandIds.goToTrustLevel },
  { command: CommandIds.goToSpending },
  { command: CommandIds.goToHolds },
  { command: CommandIds.goToReports },
  { command: CommandIds.goToNotebooks },
  { command: CommandIds.goToKeys },
  { command: CommandIds.goToStop },
  { command: CommandIds.goToCloseSession },
  { command: CommandIds.exportAudit, args: { format: 'csv' } },
  { command: CommandIds.exportAudit, args: { format: 'jsonl' } }
];

/**
 * Add the commands of the side panel to the registry.
 *
 * No command decides anything, since agents can run commands: a command only moves the focus to the button or field
 * that the user then presses.
 *
 * @returns A function to call whenever the model or the waiting requests change; see {@link announcer}.
 */
export function addCommands(options: ICommandOptions): () => void {
  const { commands, model, panel, trans, waits, download } = options;
  const isShown = (): boolean => model.path !== null;
  const isActive = (): boolean => model.state?.active === true;
  const hasSession = (): boolean => model.state?.session_id != null;
  const hasGateway = (): boolean => model.config?.gateway != null;
  // The palette searches only labels, so the labels contain the words that users search for.
  const leads: [string, string, string | (() => string), () => boolean][] = [
    [
      CommandIds.goToStart,
      trans.__('Start Governing This Notebook…'),
      'start',
      () => model.state?.active === false
    ],
    [
      CommandIds.goToNextApproval,
      trans.__('Approve or Deny Waiting Requests…'),
      () => nextWaiting(panel, waits),
      () => waits.hasApprovals() || waits.hasCallsAtLimit()
    ],
    [
      CommandIds.goToBudget,
      trans.__('Raise or Lower the Budget (Spending Limit)…'),
      'budget',
      isActive
    ],
    [
      CommandIds.goToTrustLevel,
      trans.__('Change the Trust Level…'),
      'trust',
      isActive
    ],
    [
      CommandIds.goToSpending,
      trans.__('Show Cost and Spending'),
      'spend',
      hasSession
    ],
    [CommandIds.goToHolds, trans.__('Show Pending Holds'), 'holds', hasSession],
    [
      CommandIds.goToReports,
      trans.__('Review Reported Actions…'),
      'reports',
      waits.hasReports
    ],
    [
      CommandIds.goToNotebooks,
      trans.__('Show All Governed Notebooks'),
      'notebooks',
      () => true
    ],
    [
      CommandIds.goToKeys,
      trans.__('Show Gateway Keys and Providers…'),
      'gateway',
      hasGateway
    ],
    [
      CommandIds.goToStop,
      trans.__('Stop Calls Through the Gateway (Revoke Keys)…'),
      'gateway',
      () => hasGateway() && isShown()
    ],
    [
      CommandIds.goToCloseSession,
      trans.__('Stop Governing This Notebook (Close Session)…'),
      'session',
      isActive
    ]
  ];
  commands.addCommand(CommandIds.openPanel, {
    label: trans.__('Show Governance Panel'),
    caption: trans.__('Show trust level and budget in the side panel'),
    execute: () => afterPalette(() => panel.reveal(null))
  });
  const states = new Map<string, () => unknown>([
    [CommandIds.exportAudit, isShown]
  ]);
  for (const [id, label, section, isEnabled] of leads) {
    // Most servers have no gateway; these commands are hidden there.
    const isVisible = (): boolean => section !== 'gateway' || hasGateway();
    states.set(id, () => `${isEnabled()} ${isVisible()}`);
    commands.addCommand(id, {
      label,
      isEnabled,
      isVisible,
      execute: () => {
        const next = typeof section === 'string' ? section : section();
        return afterPalette(() => panel.reveal(next));
      }
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
  return announcer(commands, states);
}

/**
 * Return a function that notifies the registry of the commands whose state has changed since the function's last call.
 *
 * It leaves out the other commands, because each notification makes JupyterLab render its menus and toolbars again.
 *
 * @param states - For each command id, a function that returns the current state of the command: whether it is enabled
 *   and visible.
 */
export function announcer(
  commands: CommandRegistry,
  states: ReadonlyMap<string, () => unknown>
): () => void {
  const known = new Map<string, unknown>();
  const changed = (): string[] =>
    [...states].flatMap(([id, state]) => {
      const current = state();
      const isSame = known.has(id) && known.get(id) === current;
      known.set(id, current);
      return isSame ? [] : [id];
    });
  changed();
  return () => changed().forEach(id => commands.notifyCommandChanged(id));
}

/** Functions that return whether approval requests, calls at a limit and reports to review wait for the user. */
export interface IWaits {
  hasApprovals: () => boolean;
  hasCallsAtLimit: () => boolean;
  hasReports: () => boolean;
}

/** The options of {@link addCommands}. */
export interface ICommandOptions {
  commands: CommandRegistry;
  model: IGovernanceModel;
  panel: IGovernancePanel;
  trans: TranslationBundle;
  waits: IWaits;
  /** Downloads a file from a URL. */
  download: (url: string) => void;
}

/**
 * Return the section for "Approve or Deny Waiting Requests…": the approvals, unless none wait or they have the focus
 * already; then the calls at a limit, if any wait.
 */
function nextWaiting(panel: IGovernancePanel, waits: IWaits): string {
  const hasFocus = panel.focused === 'approvals';
  return waits.hasCallsAtLimit() && (hasFocus || !waits.hasApprovals())
    ? 'limits'
    : 'approvals';
}

/**
 * Call a function that moves the focus, once an open command palette has closed.
 *
 * Some frames after its palette has closed, JupyterLab moves the focus back to the document in front, which would undo
 * the move.
 */
async function afterPalette(action: () => void): Promise<void> {
  const focused = document.activeElement;
  if (focused instanceof HTMLElement && focused.closest(PALETTE)) {
    focused.blur();
    for (let frame = 0; frame < FRAMES; frame += 1) {
      await new Promise(resolve => requestAnimationFrame(resolve));
    }
  }
  action();
}

function formatOf(args: Readonly<Record<string, unknown>>): ExportFormat {
  return args.format === 'jsonl' ? 'jsonl' : 'csv';
}
