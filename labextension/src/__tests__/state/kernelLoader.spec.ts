import { KernelLoader } from '../../state/kernelLoader';
import { FakeKernel, REPLIES } from '../support/starting';

describe('the loader of a kernel', () => {
  let kernel: FakeKernel;
  let loader: KernelLoader;

  beforeEach(() => {
    kernel = new FakeKernel();
    loader = new KernelLoader(() => Promise.resolve(kernel.reached));
  });

  it('sends one request that leaves no trace', async () => {
    await loader.load('a.ipynb');
    expect(kernel.requests).toHaveLength(1);
    expect(kernel.requests[0]).toMatchObject({
      code: '',
      silent: true,
      store_history: false,
      allow_stdin: false
    });
    expect(loader.obstacle('a.ipynb')).toBeNull();
    expect(kernel.released).toBe(1);
  });

  it('finds out before it loads whether the package is there', async () => {
    kernel.found.push(REPLIES.absent);
    await loader.check('a.ipynb');
    expect(loader.obstacle('a.ipynb')).toEqual({ kind: 'missing' });
    expect(kernel.checks).toMatchObject([{ code: '', silent: true }]);
    expect(kernel.requests).toEqual([]);
    await loader.check('a.ipynb');
    expect(loader.obstacle('a.ipynb')).toBeNull();
    kernel.found.push(REPLIES.failed);
    await loader.check('a.ipynb');
    expect(loader.obstacle('a.ipynb')).toBeNull();
    kernel.language = 'R';
    await loader.check('a.ipynb');
    expect(loader.obstacle('a.ipynb')).toEqual({
      kind: 'language',
      language: 'R'
    });
  });

  it('does not wait for a cell to find that out', async () => {
    kernel.status = 'busy';
    await loader.check('a.ipynb');
    expect(kernel.checks).toEqual([]);
    expect(loader.obstacle('a.ipynb')).toBeNull();
  });

  it('reports a running cell until it has ended', async () => {
    let end = (): void => undefined;
    kernel.status = 'busy';
    kernel.replies.push(
      new Promise(resolve => {
        end = () => resolve(REPLIES.loaded);
      })
    );
    const loading = loader.load('a.ipynb');
    await vi.waitFor(() =>
      expect(loader.obstacle('a.ipynb')).toEqual({ kind: 'busy' })
    );
    expect(loader.obstacle('b.ipynb')).toBeNull();
    end();
    await loading;
    expect(loader.obstacle('a.ipynb')).toBeNull();
  });

  it('sends it again where a failing cell took it along', async () => {
    kernel.replies.push(REPLIES.aborted, REPLIES.aborted);
    await loader.load('a.ipynb');
    expect(kernel.requests).toHaveLength(3);
    expect(loader.obstacle('a.ipynb')).toBeNull();
  });

  it('gives up where that never ends', async () => {
    kernel.replies.push(...Array.from({ length: 30 }, () => REPLIES.aborted));
    await loader.load('a.ipynb');
    expect(kernel.requests).toHaveLength(20);
    expect(loader.obstacle('a.ipynb')?.kind).toBe('failed');
  });

  it('separates a missing package from any other error', async () => {
    const changed = vi.fn();
    loader.changed.connect(changed);
    kernel.replies.push(REPLIES.missing, REPLIES.failed, REPLIES.loaded);
    await loader.load('a.ipynb');
    expect(loader.obstacle('a.ipynb')).toEqual({ kind: 'missing' });
    await loader.load('a.ipynb');
    expect(loader.obstacle('a.ipynb')).toEqual({
      kind: 'failed',
      message: 'SyntaxError: invalid syntax'
    });
    await loader.load('a.ipynb');
    expect(loader.obstacle('a.ipynb')).toBeNull();
    expect(changed).toHaveBeenCalledTimes(3);
  });

  it('sends nothing to a kernel of another language', async () => {
    kernel.language = 'R';
    await loader.load('a.ipynb');
    expect(kernel.requests).toEqual([]);
    expect(loader.obstacle('a.ipynb')).toEqual({
      kind: 'language',
      language: 'R'
    });
  });

  it('reports nothing about a kernel that restarts or does not exist', async () => {
    kernel.status = 'busy';
    kernel.replies.push(new Error('Canceled future'));
    await loader.load('a.ipynb');
    expect(loader.obstacle('a.ipynb')).toBeNull();
    expect(kernel.released).toBe(1);
    const none = new KernelLoader(() => Promise.resolve(null));
    await none.load('a.ipynb');
    expect(none.obstacle('a.ipynb')).toBeNull();
  });

  it('forgets what a former kernel replied, also when that comes late', async () => {
    let end = (): void => undefined;
    kernel.replies.push(
      new Promise(resolve => {
        end = () => resolve(REPLIES.missing);
      })
    );
    const loading = loader.load('a.ipynb');
    loader.forget('a.ipynb');
    end();
    await loading;
    expect(loader.obstacle('a.ipynb')).toBeNull();
  });
});
