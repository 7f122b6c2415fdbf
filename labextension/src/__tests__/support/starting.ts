/** A starter with a fake server, kernel and clipboard. */

import type { KernelMessage } from '@jupyterlab/services';
import type { ExampleName } from '../../server/exampleApi';
import type { IChange } from '../../server/sessionApi';
import { type IReachedKernel, KernelLoader } from '../../state/kernelLoader';
import { Starter } from '../../state/starter';
import type { IGovernanceModel } from '../../tokens';
import { sampleState } from './samples';

type Reply = KernelMessage.IExecuteReplyMsg['content'];

/** A kernel's replies when it loads the magics, and when it cannot import the package. */
export const REPLIES = {
  loaded: { status: 'ok', user_expressions: { loaded: { status: 'ok' } } },
  /** Its reply to code that only looks for the package. */
  absent: {
    status: 'ok',
    user_expressions: {
      loaded: { status: 'ok', data: { 'text/plain': 'False' } }
    }
  },
  missing: {
    status: 'ok',
    user_expressions: {
      loaded: {
        status: 'error',
        ename: 'ModuleNotFoundError',
        evalue: "No module named 'aumos_governance'"
      }
    }
  },
  aborted: { status: 'aborted' },
  failed: { status: 'error', ename: 'SyntaxError', evalue: 'invalid syntax' }
} as unknown as Record<
  'loaded' | 'absent' | 'missing' | 'aborted' | 'failed',
  Reply
>;

/** A kernel that sends the replies of a test, one after the other. */
export class FakeKernel {
  status: 'idle' | 'busy' = 'idle';
  language = 'python';
  readonly requests: KernelMessage.IExecuteRequestMsg['content'][] = [];
  readonly replies: (Reply | Promise<Reply> | Error)[] = [];
  /** The requests that only look for the package, and the reply to them. */
  readonly checks: KernelMessage.IExecuteRequestMsg['content'][] = [];
  readonly found: Reply[] = [];
  released = 0;

  readonly reached = {
    kernel: this,
    release: () => {
      this.released += 1;
    }
  } as unknown as IReachedKernel;

  get info(): Promise<unknown> {
    return Promise.resolve({ language_info: { name: this.language } });
  }

  requestExecute(content: KernelMessage.IExecuteRequestMsg['content']): {
    done: Promise<{ content: Reply }>;
  } {
    const isCheck = JSON.stringify(content).includes('find_spec');
    (isCheck ? this.checks : this.requests).push(content);
    const reply =
      (isCheck ? this.found : this.replies).shift() ?? REPLIES.loaded;
    return {
      done:
        reply instanceof Error
          ? Promise.reject(reply)
          : Promise.resolve(reply).then(given => ({ content: given }))
    };
  }
}

/** A starter, and the calls of its options. */
export class StartScene {
  constructor(model: IGovernanceModel) {
    this.starter = new Starter({
      model,
      loader: new KernelLoader(() => Promise.resolve(this.kernel.reached)),
      session: {
        change: (path, change) => {
          if (this.refusal) {
            return Promise.reject(this.refusal);
          }
          this.changes.push([path, change]);
          return Promise.resolve(sampleState('active', { path, seq: 9 }));
        }
      },
      examples: {
        copy: (name, folder) => {
          this.examples.push([name, folder]);
          return Promise.resolve(`${folder}/${name}.ipynb`);
        }
      },
      open: path => Promise.resolve(this.opened.push(path)),
      copy: text => this.copied.push(text)
    });
  }

  readonly starter: Starter;
  readonly kernel = new FakeKernel();
  refusal: Error | null = null;
  readonly changes: [string, IChange][] = [];
  readonly examples: [ExampleName, string][] = [];
  readonly opened: string[] = [];
  readonly copied: string[] = [];
}
