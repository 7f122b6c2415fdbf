import type { Kernel, KernelMessage } from '@jupyterlab/services';
import { Observable } from './observable';

/** Runs in the kernel: loads the magics and registers the notebook's engine; repeating it changes nothing. */
const LOAD =
  "__import__('aumos_governance.jupyter_extension').jupyter_extension" +
  ".load_ipython_extension(__import__('IPython').get_ipython())";

/** Runs in the kernel: finds whether the package can be imported, without importing it. */
const FIND =
  "__import__('importlib.util').util.find_spec('aumos_governance') is not None";

/** How often a request is resent that the kernel dropped because the cell before it failed. */
const REPEATS = 20;

/** A kernel connection, and how to release it. */
export interface IReachedKernel {
  readonly kernel: Pick<
    Kernel.IKernelConnection,
    'info' | 'requestExecute' | 'status'
  >;
  readonly release: () => void;
}

/** Why a notebook's kernel does not have the magics. */
export type Obstacle =
  /** They are loaded when the running cell has ended. */
  | { readonly kind: 'busy' }
  /** The package is not installed in the kernel's environment. */
  | { readonly kind: 'missing' }
  /** It is not a Python kernel. */
  | { readonly kind: 'language'; readonly language: string }
  | { readonly kind: 'failed'; readonly message: string };

/** Loads the magics in the kernels of notebooks, with one silent request that leaves no trace in them. */
export class KernelLoader extends Observable {
  /** @param reach - Returns the kernel of the notebook at a path; null if it has none. */
  constructor(reach: (path: string) => Promise<IReachedKernel | null>) {
    super();
    this._reach = reach;
  }

  /** Why the kernel of a notebook does not have the magics, once that was tried; else null. */
  obstacle(path: string): Obstacle | null {
    return this._obstacles.get(path) ?? null;
  }

  /** Forget the findings about a notebook's kernel. */
  forget(path: string): void {
    this._tickets.delete(path);
    this._note(path, null);
  }

  /** Load the magics in a notebook's kernel; without a kernel, its start-up hook loads them later. Never rejects. */
  load(path: string): Promise<void> {
    return this._try(path, (kernel, note) => run(kernel, LOAD, note));
  }

  /**
   * Find out whether the magics can be loaded in the kernel of a notebook, and load nothing. Never rejects.
   *
   * It does not wait for a busy kernel, of which nothing is known then.
   */
  check(path: string): Promise<void> {
    return this._try(path, async kernel => {
      if (kernel.status === 'busy') {
        return null;
      }
      const obstacle = await run(kernel, FIND, () => undefined);
      // Other causes show only when they are loaded.
      return obstacle?.kind === 'failed' ? null : obstacle;
    });
  }

  private async _try(
    path: string,
    find: (
      kernel: IReachedKernel['kernel'],
      note: (obstacle: Obstacle | null) => void
    ) => Promise<Obstacle | null>
  ): Promise<void> {
    const ticket = Symbol(path);
    this._tickets.set(path, ticket);
    const note = (obstacle: Obstacle | null): void => {
      if (this._tickets.get(path) === ticket) {
        this._note(path, obstacle);
      }
    };
    let reached: IReachedKernel | null = null;
    try {
      reached = await this._reach(path);
      note(reached && (await find(reached.kernel, note)));
    } catch {
      // The kernel restarted, or the connection to it is gone: its start-up hook loads them.
      note(null);
    } finally {
      reached?.release();
    }
  }

  private _note(path: string, obstacle: Obstacle | null): void {
    if (obstacle) {
      this._obstacles.set(path, obstacle);
      this.notify();
    } else if (this._obstacles.delete(path)) {
      this.notify();
    }
  }

  private readonly _reach: (path: string) => Promise<IReachedKernel | null>;
  private readonly _obstacles = new Map<string, Obstacle>();
  private readonly _tickets = new Map<string, symbol>();
}

async function run(
  kernel: IReachedKernel['kernel'],
  expression: string,
  note: (obstacle: Obstacle | null) => void
): Promise<Obstacle | null> {
  if (kernel.status === 'busy') {
    note({ kind: 'busy' });
  }
  const { language_info } = await kernel.info;
  if (language_info.name.toLowerCase() !== 'python') {
    return { kind: 'language', language: language_info.name };
  }
  for (let sent = 0; sent < REPEATS; sent += 1) {
    const { content } = await kernel.requestExecute(
      {
        code: '',
        silent: true,
        store_history: false,
        allow_stdin: false,
        user_expressions: { loaded: expression }
      },
      true
    ).done;
    // A failing cell makes the kernel drop all requests queued behind it.
    if (content.status !== 'aborted' && content.status !== 'abort') {
      return outcome(content);
    }
  }
  return { kind: 'failed', message: '' };
}

function outcome(
  content: KernelMessage.IExecuteReplyMsg['content']
): Obstacle | null {
  const reply = (
    content.status === 'ok' ? content.user_expressions.loaded : content
  ) as
    | {
        status?: string;
        ename?: string;
        evalue?: string;
        data?: Record<string, unknown>;
      }
    | undefined;
  if (reply?.status === 'ok') {
    return reply.data?.['text/plain'] === 'False' ? { kind: 'missing' } : null;
  }
  const { ename = '', evalue = '' } = reply ?? {};
  return ename === 'ModuleNotFoundError' && evalue.includes('aumos_governance')
    ? { kind: 'missing' }
    : { kind: 'failed', message: [ename, evalue].filter(Boolean).join(': ') };
}
