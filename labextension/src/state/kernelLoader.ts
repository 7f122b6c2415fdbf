import type { Kernel, KernelMessage } from '@jupyterlab/services';
import { Observable } from './observable';

/**
 * An expression that loads the magics in the kernel and registers the notebook's engine; repeating it changes nothing.
 */
const LOAD =
  "__import__('aumos_governance.jupyter_extension').jupyter_extension" +
  ".load_ipython_extension(__import__('IPython').get_ipython())";

/** An expression that returns whether the kernel can import the package, without importing it. */
const FIND =
  "__import__('importlib.util').util.find_spec('aumos_governance') is not None";

/** How many times a request is sent at most, if the kernel drops it because the cell before it failed. */
const MAX_SENT = 20;

/** A kernel connection, and a function that releases it after use. */
export interface IReachedKernel {
  readonly kernel: Pick<
    Kernel.IKernelConnection,
    'info' | 'requestExecute' | 'status'
  >;
  readonly release: () => void;
}

/** Why a notebook's kernel does not have the magics. */
export type Obstacle =
  /** A cell is running; the magics are loaded when it has ended. */
  | { readonly kind: 'busy' }
  /** The package is not installed in the kernel's environment. */
  | { readonly kind: 'missing' }
  /** The kernel does not run Python. */
  | { readonly kind: 'language'; readonly language: string }
  /** Loading raised another error. */
  | { readonly kind: 'failed'; readonly message: string };

/** Loads the magics in notebooks' kernels by a silent execute request, which leaves no output, history or variable. */
export class KernelLoader extends Observable {
  /** @param reach - Returns the kernel of the notebook at a path; null if it has none. */
  constructor(reach: (path: string) => Promise<IReachedKernel | null>) {
    super();
    this._reach = reach;
  }

  /** Return why the kernel of a notebook does not have the magics; null if it has them or loading was not tried. */
  obstacle(path: string): Obstacle | null {
    return this._obstacles.get(path) ?? null;
  }

  /** Discard what is known of a notebook's kernel, because the notebook has another kernel now. */
  forget(path: string): void {
    this._tickets.delete(path);
    this._note(path, null);
  }

  /**
   * Load the magics in a notebook's kernel; if it has none yet, the kernel's own start-up hook loads them later. Never
   * rejects.
   */
  load(path: string): Promise<void> {
    return this._try(path, (kernel, note) => run(kernel, LOAD, note));
  }

  /**
   * Check whether the magics can be loaded in the kernel of a notebook, without loading them. Never rejects.
   *
   * A busy kernel is not checked, so that the user does not wait for it.
   */
  check(path: string): Promise<void> {
    return this._try(path, async kernel => {
      if (kernel.status === 'busy') {
        return null;
      }
      const obstacle = await run(kernel, FIND, () => undefined);
      // An error of the check itself does not mean that loading would fail.
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
      // The kernel was restarted or disconnected: its start-up hook loads the magics.
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
