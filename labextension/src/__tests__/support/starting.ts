/** A starter whose server, kernel and clipboard are a test's. */

import type { KernelMessage } from '@jupyterlab/services';
import type { ExampleName } from '../../server/exampleApi';
import type { IChange } from '../../server/sessionApi';
import { type IReachedKernel, KernelLoader } from '../../state/kernelLoader';
import { Starter } from '../../state/starter';
import type { IGovernanceModel } from '../../tokens';
import { sampleState } from './samples';

type Reply = KernelMessage.IExecuteReplyMsg['content'];

/** What a kernel replies where the magics are loaded, or to what it could not import. */
export const REPLIES = {
  loaded: { status: 'ok', user_expressions: { loaded: { status: 'ok' } } },
  /** To what only looks for the package. */
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

/** A kernel that replies what a test puts in, one after the other. */
export class FakeKernel {
  status: 'idle' | 'busy' = 'idle';
  language = 'python';
  readonly requests: KernelMessage.IExecuteRequestMsg['content'][] = [];
  readonly replies: (Reply | Promise<Reply> | Error)[] = [];
  /** What was sent to look for the package alone, and what is replied to that. */
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

/** A starter, and what was done with it. */
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
