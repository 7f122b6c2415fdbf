/** A panel with the side panel's own sections, on a fake server that a test prepares. */

import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { IChange } from '../../server/sessionApi';
import { Notation } from '../../words/notation';
import { PanelBody } from '../../panel/panelBody';
import type { IPanelApi } from '../../tokens';
import { panelSections } from '../../panel/sections';
import { SectionMemory } from '../../panel/sectionMemory';
import { PanelSubject } from '../../panel/subject';
import type { IGovernanceState } from '../../protocol/state';
import type { IEnvelope, IKernel } from '../../protocol/session';
import type { IHold } from '../../protocol/waiting';
import { drawn } from '../support/drawing';
import { FakeModel } from '../support/fakes';
import { userPresses } from '../support/user';
import { sampleState } from '../support/samples';

/** The notebook of the sample states. */
export const PATH = 'research/agents.ipynb';

/** A panel in the page, made anew for each test of the calling block. */
export function panelOfEachTest(): PanelScene {
  const scene = new PanelScene();
  beforeEach(() => scene.begin());
  afterEach(() => scene.end());
  return scene;
}

/** What the panel shows and requests, and what a user does with it. */
export class PanelScene {
  model!: FakeModel;
  subject!: PanelSubject;
  body!: PanelBody;
  /** The responses of the server. */
  held: IHold[] = [];
  within: IEnvelope[] = [];
  notebooks: IGovernanceState[] = [];
  kernels: IKernel[] = [];
  refusal: Error | null = null;
  /** The requests to it. */
  kernelReads = 0;
  readonly changes: [string, IChange][] = [];
  readonly closed: string[] = [];
  readonly resolved: [string, string | null][] = [];
  /** The notebooks that links opened. */
  readonly opened: string[] = [];

  async begin(): Promise<void> {
    window.localStorage.clear();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    vi.setSystemTime('2026-11-22T12:09:59Z');
    const { changes, closed, resolved, opened } = this;
    this.held = [];
    this.within = [];
    this.notebooks = [];
    this.kernels = [];
    this.kernelReads = 0;
    this.refusal = null;
    for (const list of [changes, closed, resolved, opened]) {
      list.length = 0;
    }
    this.model = new FakeModel();
    this.subject = new PanelSubject(this.model);
    const lead = (path: string): Promise<void> => {
      opened.push(path);
      return Promise.resolve();
    };
    this.body = new PanelBody({
      model: this.model,
      subject: this.subject,
      api: this._api,
      trans: nullTranslator.load('aumos_governance'),
      notation: new Notation('de-DE'),
      memory: new SectionMemory(window.localStorage),
      navigation: { open: lead, goTo: lead }
    });
    for (const one of panelSections(this.subject)) {
      this.body.addSection(one);
    }
    await this.settle(() => Widget.attach(this.body, document.body));
  }

  end(): void {
    this.body.dispose();
    this.subject.dispose();
    vi.useRealTimers();
  }

  /** Do something, and let the server respond to the requests that follow. */
  async settle(action: () => void = () => undefined): Promise<void> {
    await drawn(this.body, action);
    await drawn(this.body, () => vi.advanceTimersByTime(1000));
    await drawn(this.body, () => undefined);
  }

  /** Bring the notebook of a sample state to the front. */
  async show(...args: Parameters<typeof sampleState>): Promise<void> {
    await this.settle(() => this.model.show(sampleState(...args)));
  }

  find(selector: string): HTMLElement | null {
    return this.findAll(selector)[0] ?? null;
  }

  findAll(selector: string): HTMLElement[] {
    return [...this.body.node.querySelectorAll<HTMLElement>(selector)];
  }

  section(id: string): HTMLElement | null {
    return this.find(`[data-section=${id}]`);
  }

  /** The text of a section. */
  text(id: string): string {
    const body = this.section(id)?.querySelector('.aumos-Section-body');
    return body?.textContent ?? '';
  }

  /** Click a button as code in the page can. */
  press(name: string | RegExp): Promise<void> {
    return this.settle(() => this._control(name).click());
  }

  /** Click a button as a user does. */
  userPress(name: string | RegExp): Promise<void> {
    return this.settle(() => userPresses(this._control(name)));
  }

  /** Fill in the only field. */
  async type(value: string): Promise<void> {
    await this.typeInto(this.find('input') ?? undefined, value);
  }

  /** Fill in a field. */
  async typeInto(input: HTMLElement | undefined, value: string): Promise<void> {
    // React notices a change only through the setter of the element's own class.
    const set = Object.getOwnPropertyDescriptor(
      HTMLInputElement.prototype,
      'value'
    )?.set;
    await this.settle(() => {
      set?.call(input, value);
      input?.dispatchEvent(new Event('input', { bubbles: true }));
    });
  }

  private _control(name: string | RegExp): HTMLElement {
    const found = this.findAll('button').find(node => {
      const label = node.getAttribute('aria-label') ?? node.textContent;
      return typeof name === 'string' ? label === name : name.test(label);
    });
    if (!found) {
      throw new Error(`There is no control ${String(name)}.`);
    }
    return found;
  }

  private _respond<T>(value: T): Promise<T> {
    return this.refusal ? Promise.reject(this.refusal) : Promise.resolve(value);
  }

  private _resolve(id: string, amount: string | null): Promise<unknown> {
    this.resolved.push([id, amount]);
    return this._respond({ resolution: {}, state: null });
  }

  private readonly _api = {
    session: {
      change: (path: string, change: IChange) => {
        this.changes.push([path, change]);
        return this._respond(sampleState('active', { path, ...change }));
      },
      close: (path: string) => {
        this.closed.push(path);
        return this._respond(sampleState('closed', { path }));
      },
      envelopes: () => this._respond(this.within),
      kernels: () => {
        this.kernelReads += 1;
        return this._respond(this.kernels);
      },
      notebooks: () => this._respond({ entries: this.notebooks, after: null })
    },
    waiting: {
      holds: () => this._respond({ entries: this.held, after: null }),
      settle: (id: string, amount: string) => this._resolve(id, amount),
      release: (id: string) => this._resolve(id, null)
    }
  } as unknown as IPanelApi;
}
