import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Clipboard, ICommandPalette } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import type { ServiceManager } from '@jupyterlab/services';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { CommandIds } from '../commands';
import { governanceIcon } from '../icons';
import { ExampleApi, EXAMPLES } from '../server/exampleApi';
import { SessionApi } from '../server/sessionApi';
import { type IReachedKernel, KernelLoader } from '../state/kernelLoader';
import { IStarter, Starter } from '../state/starter';
import { IGovernanceModel, IGovernancePanel } from '../tokens';
import { TRANSLATION_DOMAIN } from '../words/labels';
import { loadViews } from './later';

/** Provides the starter, which starts governance and opens examples, and adds the command that opens an example. */
export const starterPlugin: JupyterFrontEndPlugin<Starter> = {
  id: 'aumos-governance:starter',
  description: 'Starts the governance of a notebook, and opens examples.',
  autoStart: true,
  requires: [IGovernanceModel, INotebookTracker],
  optional: [ILauncher, ICommandPalette, IDefaultFileBrowser, ITranslator],
  provides: IStarter,
  activate: (
    app: JupyterFrontEnd,
    model: IGovernanceModel,
    tracker: INotebookTracker,
    launcher: ILauncher | null,
    palette: ICommandPalette | null,
    browser: IDefaultFileBrowser | null,
    translator: ITranslator | null
  ): Starter => {
    const { commands, serviceManager } = app;
    const { serverSettings } = serviceManager;
    const known = translator ?? nullTranslator;
    const trans = known.load(TRANSLATION_DOMAIN);
    const loader = new KernelLoader(path =>
      reach(path, tracker, serviceManager)
    );
    // The notebook in front has another kernel: what was known about loading the magics in its old kernel no longer
    // holds.
    let kernels = model.kernelChanges;
    model.changed.connect(() => {
      if (model.kernelChanges !== kernels) {
        kernels = model.kernelChanges;
        if (model.path !== null) {
          loader.forget(model.path);
        }
      }
    });
    const starter = new Starter({
      model,
      loader,
      session: new SessionApi({ serverSettings }),
      examples: new ExampleApi({ serverSettings }),
      open: path => commands.execute('docmanager:open', { path }),
      copy: text => Clipboard.copyToSystem(text)
    });
    const command = CommandIds.openExample;
    commands.addCommand(command, {
      label: args =>
        args.name === 'governed-calls'
          ? trans.__('Open Example: Governed Calls')
          : args.isLauncher === true
            ? trans.__('Governed notebook')
            : trans.__('Open Example: Governed Notebook'),
      caption: trans.__('Copy a governance example into this folder'),
      icon: args => (args.isLauncher === true ? governanceIcon : undefined),
      execute: async args => {
        const name =
          EXAMPLES.find(example => example === args.name) ?? EXAMPLES[0];
        const given =
          typeof args.cwd === 'string' ? args.cwd : browser?.model.path;
        await starter.openExample(name, folder(given, serviceManager));
      }
    });
    launcher?.add({
      command,
      args: { name: EXAMPLES[0], isLauncher: true },
      category: known.load('jupyterlab').gettext('Other'),
      rank: 10
    });
    for (const name of EXAMPLES) {
      const category = trans.__('Governance');
      palette?.addItem({ command, args: { name }, category });
    }
    return starter;
  }
};

/** Adds the section in which the user starts governance to the side panel. */
export const startPlugin: JupyterFrontEndPlugin<void> = {
  id: 'aumos-governance:start',
  description: 'Adds the section that starts governance to the side panel.',
  autoStart: true,
  requires: [IGovernancePanel, IStarter],
  activate: (
    _: JupyterFrontEnd,
    panel: IGovernancePanel,
    starter: Starter
  ): void => {
    panel.addSections(async () => [(await loadViews()).startSection(starter)]);
  }
};

/**
 * Return the kernel of the notebook at a path: of its open view, or if it is not open, of its session on the server;
 * null if it has none.
 */
async function reach(
  path: string,
  tracker: INotebookTracker,
  { contents, kernels, sessions }: ServiceManager.IManager
): Promise<IReachedKernel | null> {
  const panel = tracker.find(
    ({ context }) => contents.localPath(context.path) === path
  );
  if (panel) {
    const kernel = panel.sessionContext.session?.kernel;
    return kernel ? { kernel, release: () => undefined } : null;
  }
  const session = await sessions.findByPath(path);
  if (!session?.kernel) {
    return null;
  }
  const kernel = kernels.connectTo({ model: session.kernel });
  return { kernel, release: () => kernel.dispose() };
}

/**
 * Return the server-local path of a folder in the file browser; undefined if the folder is on a drive that another
 * extension adds.
 */
function folder(
  path: string | undefined,
  { contents }: ServiceManager.IManager
): string | undefined {
  return path !== undefined && ['', 'RTC'].includes(contents.driveName(path))
    ? contents.localPath(path)
    : undefined;
}
