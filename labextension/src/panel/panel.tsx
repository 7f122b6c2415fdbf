import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { SidePanel } from '@jupyterlab/ui-components';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import { type ISignal, Signal } from '@lumino/signaling';
import { Panel } from '@lumino/widgets';
import { governanceIcon } from '../icons';
import type { Notation } from '../words/notation';
import type { INotebookNavigation } from '../state/notebookNavigation';
import type { IGovernanceModel, IGovernancePanel } from '../tokens';
import { PanelBody } from './panelBody';
import type { IPanelApi, IPanelSection } from '../tokens';
import type { SectionMemory } from './sectionMemory';
import type { PanelSubject } from './subject';

/**
 * The attribute of the side panel's tab with the number of waiting requests, which the style sheet draws beside the
 * icon.
 */
const COUNT = 'aumos-waiting';

/** The side panel: trust level, budget and spending of one notebook, and the requests that wait for the user. */
export class GovernancePanel extends SidePanel implements IGovernancePanel {
  constructor(options: GovernancePanel.IOptions) {
    const content = new Panel();
    super({ content, translator: options.translator });
    this.api = options.api;
    this.trans = options.trans;
    this.notation = options.notation;
    this._activate = options.activate;
    this._subject = options.subject;
    this.id = 'aumos-governance-panel';
    this.title.icon = governanceIcon;
    this.title.caption = this.trans.__('Governance');
    this.addClass('aumos-Panel');
    content.node.setAttribute('aria-label', this.trans.__('Governance'));
    this._body = new PanelBody(options);
    this.addWidget(this._body);
    this._body.loaded.connect(() => this._seen.emit());
  }

  readonly api: IPanelApi;
  readonly trans: TranslationBundle;
  readonly notation: Notation;

  addSection(section: IPanelSection): IDisposable {
    this._body.addSection(section);
    return new DisposableDelegate(() => this._body.removeSection(section));
  }

  addSections(load: () => Promise<readonly IPanelSection[]>): IDisposable {
    return this._body.addSections(load);
  }

  reveal(section: string | null): void {
    this._activate(this);
    this._body.focusSection(section);
  }

  get focused(): string | null {
    return this.node.contains(document.activeElement)
      ? (document.activeElement?.closest<HTMLElement>('[data-section]')?.dataset
          .section ?? null)
      : null;
  }

  get seen(): ISignal<this, void> {
    return this._seen;
  }

  proposeBudget(path: string, budget: string): void {
    this._subject.follow(path);
    this._body.propose(budget);
    this.reveal('budget');
  }

  setWaiting(count: number): void {
    const { title, trans } = this;
    const shown = count > 0 ? `${count}` : undefined;
    if (title.dataset[COUNT] === shown) {
      return;
    }
    const others = Object.entries(title.dataset).filter(
      ([name]) => name !== COUNT
    );
    title.dataset = Object.fromEntries(
      shown === undefined ? others : [...others, [COUNT, shown]]
    );
    title.caption =
      count > 0
        ? trans._n(
            'Governance (%1 waiting)',
            'Governance (%1 waiting)',
            count,
            count
          )
        : trans.__('Governance');
  }

  isShown(section: string, path: string): boolean {
    return this.isVisible && this._body.isShown(section, path);
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._seen.emit();
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this._seen.emit();
  }

  private readonly _seen = new Signal<this, void>(this);
  private readonly _activate: (panel: GovernancePanel) => void;
  private readonly _body: PanelBody;
  private readonly _subject: PanelSubject;
}

/** A namespace for the types that belong to `GovernancePanel`. */
export namespace GovernancePanel {
  /** The options of the constructor of `GovernancePanel`. */
  export interface IOptions {
    model: IGovernanceModel;
    subject: PanelSubject;
    api: IPanelApi;
    trans: TranslationBundle;
    translator: ITranslator;
    navigation: INotebookNavigation;
    notation: Notation;
    memory: SectionMemory;
    /** Brings the panel to the front in JupyterLab's side area. */
    activate: (panel: GovernancePanel) => void;
  }
}
