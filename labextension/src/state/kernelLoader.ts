import type { Kernel, KernelMessage } from '@jupyterlab/services';
import { Observable } from './observable';

/**
 * A Python expression that loads the magics in the kernel and connects the kernel to the notebook's governance.
 * Evaluating it again changes nothing.
 */
const LOAD =
  "__import__('aumos_governance.jupyter_extension').jupyter_extension" +
  ".load_ipython_extension(__import__('IPython').get_ipython())";

/** A Python expression that is true if the kernel can import the package. It does not import the package. */
const FIND =
  "__import__('importlib.util').util.find_spec('aumos_governance') is not None";

/** How many times a request is sent to a kernel that drops it because the cell before the request failed. */
const MAX_SENT = 20;

/** A connection to a kernel, and a function to call when the connection is no longer needed. */
export interface IReachedKernel {
  readonly kernel: Pick<
    Kernel.IKernelConnection,
    'info' | 'requestExecute' | 'status'
  >;
  readonly release: () => void;
}

/** Why a notebook's kernel does not have the magics. */
export type Obstacle =
  /** A cell is running; the magics are loaded after it has ended. */
  | { readonly kind: 'busy' }
  /** The package is not installed in the kernel's environment. */
  | { readonly kind: 'missing' }
  /** The kernel does not run Python. */
  | { readonly kind: 'language'; readonly language: string }
  /** Loading the magics raised another error, described by `message`. */
  | { readonly kind: 'failed'; readonly message: string };

/**
 * Loads the magics in kernels with a silent execute request, which adds no output, no history entry and no variable,
 * and remembers for each notebook why that failed.
 */
export class KernelLoader extends Observable {
  /**
   * @param reach - Returns a connection to the kernel of the notebook at a path; null if it has no kernel.
   */
  constructor(reach: (path: string) => Promise<IReachedKernel | null>) {
    super();
    this._reach = reach;
  }

  /**
   * Return why the kernel of the notebook at a path does not have the magics; null if it has them or loading was not
   * tried.
   */
  obstacle(path: string): Obstacle | null {
    return this._obstacles.get(path) ?? null;
  }

  /** Forget the obstacle of the notebook at a path, since the notebook has another kernel now. */
  forget(path: string): void {
    this._tickets.delete(path);
    this._note(path, null);
  }

  /**
   * Load the magics in the kernel of the notebook at a path. If it has no kernel, nothing happens: a new kernel loads
   * the magics itself when it starts. Never rejects: see `obstacle`.
   */
  load(path: string): Promise<void> {
    return this._try(path, (kernel, note) => run(kernel, LOAD, note));
  }

  /**
   * Find out whether the magics can be loaded in the kernel of the notebook at a path, without loading them. Never
   * rejects: see `obstacle`.
   *
   * A busy kernel is not checked, since its response would only arrive after the running cell.
   */
  check(path: string): Promise<void> {
    return this._try(path, async kernel => {
      if (kernel.status === 'busy') {
        return null;
      }
      const obstacle = await run(kernel, FIND, () => undefined);
      // The check may have failed for a reason of its own, which does not mean that loading would fail.
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
      // The kernel was restarted or disconnected. A new kernel loads the magics itself when it starts.
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
  for (let sent = 0; sent < MAX_SENT; sent += 1) {
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
    // After a cell fails, the kernel drops all requests that were queued behind the cell; then send the request again.
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
