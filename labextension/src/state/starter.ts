import { PathExt } from '@jupyterlab/coreutils';
import { Token } from '@lumino/coreutils';
import type { IGovernanceModel } from '../tokens';
import type { ExampleApi, ExampleName } from '../server/exampleApi';
import type { IChange, ISessionApi } from '../server/sessionApi';
import type { KernelLoader, Obstacle } from './kernelLoader';
import { Observable } from './observable';

/** Starts the governance of a notebook without code in its cells, and opens example notebooks. */
export class Starter extends Observable {
  constructor(options: Starter.IOptions) {
    super();
    this._options = options;
    options.loader.changed.connect(() => this.notify());
  }

  /**
   * Open a session for the notebook at a path with the given trust level and budget, and have the magics loaded in its
   * kernel. Rejects if no session was opened.
   */
  async start(path: string, change: IChange, key: string): Promise<void> {
    const { model, session, loader } = this._options;
    model.learn(await session.change(path, change, key));
    void loader.load(path);
  }

  /** Load the magics in the kernel of the notebook at a path. Never rejects: see `obstacle`. */
  load(path: string): Promise<void> {
    return this._options.loader.load(path);
  }

  /**
   * Find out whether the magics can be loaded in a notebook's kernel, without loading them. Never rejects: see
   * `obstacle`.
   */
  check(path: string): Promise<void> {
    return this._options.loader.check(path);
  }

  /** Return why the kernel of a notebook does not have the magics; null if it has them or loading was not tried. */
  obstacle(path: string): Obstacle | null {
    return this._options.loader.obstacle(path);
  }

  /**
   * Copy an example notebook into a folder, if omitted that of the notebook in front, and open the copy. Returns the
   * server-local path of the copy.
   */
  async openExample(name: ExampleName, folder?: string): Promise<string> {
    const { examples, model, open } = this._options;
    const path = await examples.copy(
      name,
      folder ?? PathExt.dirname(model.path ?? '')
    );
    await open(path);
    return path;
  }

  /** Copy text to the clipboard. */
  copy(text: string): void {
    this._options.copy(text);
  }

  private readonly _options: Starter.IOptions;
}

/** A namespace for the types that belong to `Starter`. */
export namespace Starter {
  /** The options of the constructor of `Starter`. */
  export interface IOptions {
    model: IGovernanceModel;
    session: Pick<ISessionApi, 'change'>;
    loader: KernelLoader;
    examples: Pick<ExampleApi, 'copy'>;
    /** Opens the notebook at a server-local path in JupyterLab. */
    open: (path: string) => Promise<unknown>;
    copy: (text: string) => void;
  }
}

/** The token with which the plugins of this extension get the starter. */
export const IStarter = new Token<Starter>(
  'aumos-governance:IStarter',
  'Starts the governance of a notebook, and opens examples.'
);
