import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import schema from '../../schema/settings.json';
import { addCommands, CommandIds } from '../commands';
import { DEFAULT_SETTINGS } from '../state/settings';
import type { IGovernancePanel } from '../tokens';
import { FakeModel } from './support/fakes';
import { sampleState } from './support/samples';

describe('the commands', () => {
  let commands: CommandRegistry;
  let model: FakeModel;
  const revealed: (string | null)[] = [];
  const downloads: string[] = [];

  beforeEach(() => {
    revealed.length = 0;
    downloads.length = 0;
    commands = new CommandRegistry();
    model = new FakeModel();
    const trans = nullTranslator.load('aumos_governance');
    addCommands({
      commands,
      model,
      trans,
      panel: {
        trans,
        reveal: (section: string | null) => revealed.push(section),
        api: {
          audit: {
            exportUrl: (format: string, filters: { path: string }) =>
              `/export?${format}&${filters.path}`
          }
        }
      } as unknown as IGovernancePanel,
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
    expect(shortcuts).toHaveLength(6);
    for (const { command } of shortcuts) {
      expect(ids).toContain(command);
    }
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
