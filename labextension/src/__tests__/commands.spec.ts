import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import schema from '../../schema/settings.json';
import { addCommands, announcer, CommandIds, IN_PALETTE } from '../commands';
import { DEFAULT_SETTINGS } from '../state/settings';
import type { IGovernancePanel } from '../tokens';
import { FakeModel } from './support/fakes';
import { sampleConfig, sampleState } from './support/samples';

describe('the commands', () => {
  let commands: CommandRegistry;
  let model: FakeModel;
  const revealed: (string | null)[] = [];
  const downloads: string[] = [];
  let waiting: { approvals: boolean; limits: boolean; reports: boolean };
  let focused: string | null;

  beforeEach(() => {
    revealed.length = 0;
    downloads.length = 0;
    waiting = { approvals: false, limits: false, reports: false };
    focused = null;
    commands = new CommandRegistry();
    model = new FakeModel();
    const trans = nullTranslator.load('aumos_governance');
    addCommands({
      commands,
      model,
      trans,
      panel: {
        trans,
        get focused() {
          return focused;
        },
        reveal: (section: string | null) => revealed.push(section),
        api: {
          audit: {
            exportUrl: (format: string, filters: { path: string }) =>
              `/export?${format}&${filters.path}`
          }
        }
      } as unknown as IGovernancePanel,
      waits: {
        hasApprovals: () => waiting.approvals,
        hasCallsAtLimit: () => waiting.limits,
        hasReports: () => waiting.reports
      },
      download: url => downloads.push(url)
    });
  });

  it('lead to controls, and do nothing else', async () => {
    model.show(sampleState('active'));
    await commands.execute(CommandIds.openPanel);
    await commands.execute(CommandIds.goToTrustLevel);
    await commands.execute(CommandIds.goToBudget);
    await commands.execute(CommandIds.goToNextApproval);
    await commands.execute(CommandIds.goToCloseSession);
    expect(revealed).toEqual([null, 'trust', 'budget', 'approvals', 'session']);
  });

  it('lead to calls at a limit where no approval waits, and on to them from the approvals', async () => {
    const next = async (): Promise<unknown> => {
      await commands.execute(CommandIds.goToNextApproval);
      focused = revealed.at(-1) ?? null;
      return focused;
    };
    waiting.limits = true;
    expect(await next()).toBe('limits');
    expect(await next()).toBe('limits');
    waiting.approvals = true;
    expect(await next()).toBe('approvals');
    expect(await next()).toBe('limits');
    expect(await next()).toBe('approvals');
    waiting.limits = false;
    expect(await next()).toBe('approvals');
  });

  it('close the palette before they move the focus', async () => {
    const palette = document.createElement('div');
    palette.className = 'lm-CommandPalette';
    const input = palette.appendChild(document.createElement('input'));
    document.body.append(palette);
    input.focus();
    const atBlur: number[] = [];
    input.addEventListener('blur', () => atBlur.push(revealed.length));
    await commands.execute(CommandIds.openPanel);
    palette.remove();
    expect(atBlur).toEqual([0]);
    expect(revealed).toEqual([null]);
  });

  it('export the record of the notebook in front', async () => {
    expect(commands.isEnabled(CommandIds.exportAudit)).toBe(false);
    model.show(sampleState('active', { path: 'a.ipynb' }));
    await commands.execute(CommandIds.exportAudit);
    await commands.execute(CommandIds.exportAudit, { format: 'jsonl' });
    expect(downloads).toEqual(['/export?csv&a.ipynb', '/export?jsonl&a.ipynb']);
  });

  it('are disabled where there is nothing to lead to', () => {
    model.show(sampleState('closed'));
    expect(commands.isEnabled(CommandIds.goToBudget)).toBe(false);
    expect(commands.isEnabled(CommandIds.openPanel)).toBe(true);
  });

  it('are the ones that the schema puts on keys', () => {
    const ids = Object.values(CommandIds) as string[];
    const shortcuts = schema['jupyter.lab.shortcuts'];
    expect(shortcuts).toHaveLength(15);
    for (const { command } of shortcuts) {
      expect(ids).toContain(command);
    }
    const keys = shortcuts.map(shortcut => shortcut.keys.join(' '));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('show their keys in the palette', () => {
    const bound = schema['jupyter.lab.shortcuts'].map(
      ({ command, args = {} }) => [command, args]
    );
    const offered = IN_PALETTE.map(({ command, args = {} }) => [command, args]);
    const onKeys = offered.filter(item =>
      bound.some(one => JSON.stringify(one) === JSON.stringify(item))
    );
    // The second export format has no shortcut of its own.
    expect(onKeys).toHaveLength(IN_PALETTE.length - 1);
  });

  it.each([
    ['approve', CommandIds.goToNextApproval],
    ['deny', CommandIds.goToNextApproval],
    ['cost', CommandIds.goToSpending],
    ['spending', CommandIds.goToSpending],
    ['spend', CommandIds.goToBudget],
    ['limit', CommandIds.goToBudget],
    ['raise', CommandIds.goToBudget],
    ['budget', CommandIds.goToBudget],
    ['trust', CommandIds.goToTrustLevel],
    ['stop', CommandIds.goToCloseSession],
    ['stop', CommandIds.goToStop],
    ['revoke', CommandIds.goToStop],
    ['key', CommandIds.goToKeys],
    ['gateway', CommandIds.goToKeys],
    ['provider', CommandIds.goToKeys],
    ['start', CommandIds.goToStart],
    ['hold', CommandIds.goToHolds],
    ['review', CommandIds.goToReports],
    ['notebooks', CommandIds.goToNotebooks]
  ])('are found by "%s"', (word, command) => {
    expect(commands.label(command).toLowerCase()).toMatch(
      new RegExp(`\\b${word}`)
    );
    expect(IN_PALETTE.map(item => item.command)).toContain(command);
  });

  it('are enabled where they apply', () => {
    const enabled = (): string[] =>
      IN_PALETTE.filter(({ command }) => commands.isEnabled(command)).map(
        ({ command }) => command
      );
    const always = [CommandIds.openPanel, CommandIds.goToNotebooks] as string[];
    expect(enabled()).toEqual(always);
    waiting = { approvals: true, limits: false, reports: true };
    expect(enabled()).toEqual([
      CommandIds.openPanel,
      CommandIds.goToNextApproval,
      CommandIds.goToReports,
      CommandIds.goToNotebooks
    ]);
    model.show(sampleState('active'));
    expect(commands.isEnabled(CommandIds.goToStart)).toBe(false);
    expect(commands.isEnabled(CommandIds.goToCloseSession)).toBe(true);
    model.show(sampleState('closed'));
    expect(commands.isEnabled(CommandIds.goToStart)).toBe(true);
    expect(commands.isEnabled(CommandIds.goToSpending)).toBe(true);
    expect(commands.isEnabled(CommandIds.goToCloseSession)).toBe(false);
  });

  it('of the gateway lead to its section, where there is one', async () => {
    const both = [CommandIds.goToKeys, CommandIds.goToStop];
    expect(both.map(id => commands.isVisible(id))).toEqual([false, false]);
    model.become({ config: sampleConfig('with_gateway') });
    expect(both.map(id => commands.isVisible(id))).toEqual([true, true]);
    expect(both.map(id => commands.isEnabled(id))).toEqual([true, false]);
    model.show(sampleState('active'));
    for (const id of both) {
      await commands.execute(id);
    }
    expect(revealed).toEqual(['gateway', 'gateway']);
  });

  it('are announced one by one, when their state has changed', () => {
    const announced: unknown[] = [];
    commands.commandChanged.connect((_, { id }) => announced.push(id));
    let isShown = false;
    const { exportAudit, goToKeys } = CommandIds;
    const announce = announcer(
      commands,
      new Map([
        [exportAudit, () => isShown],
        [goToKeys, () => true]
      ])
    );
    announce();
    expect(announced).toEqual([]);
    isShown = true;
    announce();
    announce();
    expect(announced).toEqual([exportAudit]);
  });

  it('stand beside settings whose defaults are those of the schema', () => {
    const defaults = Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [
        name,
        property.default
      ])
    );
    expect(defaults).toEqual(DEFAULT_SETTINGS);
  });
});
