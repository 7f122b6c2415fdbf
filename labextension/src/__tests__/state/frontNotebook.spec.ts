import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { FrontNotebook } from '../../state/frontNotebook';

class FakePanel {
  readonly context = {
    path: '',
    pathChanged: new Signal<object, string>(this)
  };
  readonly sessionContext = {
    kernelChanged: new Signal<object, unknown>(this)
  };

  constructor(path: string) {
    this.context.path = path;
  }

  rename(path: string): void {
    this.context.path = path;
    this.context.pathChanged.emit(path);
  }
}

class FakeShell {
  readonly currentChanged = new Signal<this, unknown>(this);
  readonly tracked = new Signal<this, unknown>(this);
  currentWidget: object | null = null;
  notebook: FakePanel | null = null;

  activate(widget: object | null): void {
    this.currentWidget = widget;
    if (widget instanceof FakePanel) {
      this.notebook = widget;
      this.tracked.emit(widget);
    }
    this.currentChanged.emit(widget);
  }

  /** Like a tracker: the last notebook stays until it is closed. */
  get tracker(): INotebookTracker {
    return {
      currentChanged: this.tracked,
      currentWidget: null
    } as unknown as INotebookTracker;
  }
}

describe('FrontNotebook', () => {
  let shell: FakeShell;
  let front: FrontNotebook;
  let paths: (string | null)[];
  let kernels: number;

  beforeEach(() => {
    shell = new FakeShell();
    const tracker = Object.defineProperty(shell.tracker, 'currentWidget', {
      get: () => shell.notebook as unknown as NotebookPanel
    });
    front = new FrontNotebook({
      shell: shell as unknown as JupyterFrontEnd.IShell,
      tracker,
      contents: {
        localPath: (path: string) => path.replace(/^RTC:/, '')
      } as Contents.IManager,
      isCompanion: widget => widget.id === 'audit'
    });
    paths = [];
    kernels = 0;
    front.pathChanged.connect((_, path) => paths.push(path));
    front.kernelChanged.connect(() => (kernels += 1));
  });

  it('has none at first', () => {
    expect(front.path).toBeNull();
  });

  it('follows the notebook in front, without its drive', () => {
    const a = new FakePanel('a.ipynb');
    const b = new FakePanel('RTC:dir/b.ipynb');
    shell.activate(a);
    shell.activate(b);
    shell.activate(a);
    expect(paths).toEqual(['a.ipynb', 'dir/b.ipynb', 'a.ipynb']);
    expect(front.path).toBe('a.ipynb');
  });

  it('has none while something else is in front', () => {
    shell.activate(new FakePanel('a.ipynb'));
    shell.activate({});
    expect(front.path).toBeNull();
  });

  it('stays the last one while a tab about it is in front', () => {
    const a = new FakePanel('a.ipynb');
    const b = new FakePanel('b.ipynb');
    shell.activate(a);
    shell.activate({ id: 'audit' });
    expect(front.path).toBe('a.ipynb');
    a.rename('c.ipynb');
    shell.activate({ id: 'terminal' });
    shell.activate({ id: 'audit' });
    shell.activate(b);
    expect(paths).toEqual(['a.ipynb', 'c.ipynb', null, 'c.ipynb', 'b.ipynb']);
  });

  it('follows a rename, of the notebook in front only', () => {
    const a = new FakePanel('a.ipynb');
    const b = new FakePanel('b.ipynb');
    shell.activate(a);
    a.rename('c.ipynb');
    shell.activate(b);
    a.rename('d.ipynb');
    expect(paths).toEqual(['a.ipynb', 'c.ipynb', 'b.ipynb']);
  });

  it('reports another kernel, of the notebook in front only', () => {
    const a = new FakePanel('a.ipynb');
    shell.activate(a);
    a.sessionContext.kernelChanged.emit(null);
    expect(kernels).toBe(1);
    shell.activate({});
    a.sessionContext.kernelChanged.emit(null);
    expect(kernels).toBe(1);
  });

  it('is silent once disposed', () => {
    const a = new FakePanel('a.ipynb');
    shell.activate(a);
    front.dispose();
    a.rename('c.ipynb');
    shell.activate(new FakePanel('b.ipynb'));
    expect(paths).toEqual(['a.ipynb']);
    expect(front.isDisposed).toBe(true);
  });
});
