import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import { type ISignal, Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import React from 'react';
import { doubts, oneLine, ownKeyOf } from '../words/labels';
import type { IGovernanceModel } from '../tokens';
import type { Notation } from '../words/notation';
import type { INotebookNavigation } from '../state/notebookNavigation';
import { Button } from '../widgets/button';
import { Navigation } from '../widgets/navigation';
import { NotationContext } from '../widgets/notation';
import type { IPanelApi, IPanelSection, ISectionProps } from '../tokens';
import { SectionFrame } from './sectionFrame';
import type { SectionMemory } from './sectionMemory';
import type { PanelSubject } from './subject';
import { Note, OneLine } from '../widgets/words';

type LoadSections = () => Promise<readonly IPanelSection[]>;

/** Sections that are loaded before the panel is first drawn. */
interface IFurther {
  readonly load: LoadSections;
  added: readonly IPanelSection[];
  isWanted: boolean;
}

/** Stands for the first section, whichever it is. */
const ANY = '';

/** The panel's sections, one below the other, in the order of their ranks. */
export class PanelBody extends ReactWidget {
  constructor(options: PanelBody.IOptions) {
    super();
    this._model = options.model;
    this._subject = options.subject;
    this._api = options.api;
    this._trans = options.trans;
    this._navigation = options.navigation;
    this._notation = options.notation;
    this._memory = options.memory;
    this.addClass('aumos-Panel-body');
    this._model.changed.connect(this.update, this);
    this._subject.changed.connect(this.update, this);
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._model.changed.disconnect(this.update, this);
    this._subject.changed.disconnect(this.update, this);
    for (const section of this._sections) {
      section.changed?.disconnect(this.update, this);
    }
    super.dispose();
  }

  addSection(section: IPanelSection): void {
    this._sections = [...this._sections, section].sort(
      (a, b) => a.rank - b.rank
    );
    const isOpen = this._memory.isOpen(section.id) ?? !section.collapsed;
    // A section that was led to before it was there is open, whatever is remembered of it.
    if (!isOpen && this._wanted !== section.id) {
      this._closed.add(section.id);
    }
    section.changed?.connect(this.update, this);
    this.update();
  }

  /** Emitted when further sections are there, and what the panel shows has changed by that. */
  get loaded(): ISignal<this, void> {
    return this._loaded;
  }

  /** Add sections that are loaded before the panel is first drawn; disposing the returned object removes them. */
  addSections(load: LoadSections): IDisposable {
    const further: IFurther = { load, added: [], isWanted: true };
    this._unloaded.add(further);
    this.update();
    return new DisposableDelegate(() => {
      further.isWanted = false;
      this._unloaded.delete(further);
      further.added.forEach(section => this.removeSection(section));
    });
  }

  removeSection(section: IPanelSection): void {
    this._sections = this._sections.filter(one => one !== section);
    this._closed.delete(section.id);
    section.changed?.disconnect(this.update, this);
    this.update();
  }

  /** Fill in the budget's field, the next time that the focus is moved to it. */
  propose(budget: string): void {
    this._proposed = { budget };
  }

  /** Open a section and move the focus to it as soon as it is drawn; null: to the first one. */
  lead(section: string | null): void {
    this._wanted = section ?? ANY;
    this._closed.delete(this._wanted);
    this.update();
  }

  /** Whether a section is open and, if it belongs to one notebook, shows this one. */
  isShown(id: string, path: string): boolean {
    const section = this._sections.find(one => one.id === id);
    return (
      section !== undefined &&
      !this._closed.has(id) &&
      (section.needsNotebook === false || this._subject.path === path)
    );
  }

  protected override render(): React.JSX.Element {
    const props: ISectionProps = {
      model: this._model,
      api: this._api,
      trans: this._trans,
      path: this._subject.path,
      state: this._subject.state,
      proposedBudget: this._proposed
    };
    const shown = this._sections.filter(
      section =>
        (props.path !== null || section.needsNotebook === false) &&
        (section.isShown?.(props) ?? true)
    );
    return (
      <NotationContext.Provider value={this._notation}>
        <Navigation.Provider value={this._navigation}>
          {this._heading(props)}
          {shown.map(section => (
            <SectionFrame
              key={section.id}
              section={section}
              isOpen={!this._closed.has(section.id)}
              onToggle={() => this._toggle(section.id)}
              {...props}
            />
          ))}
          <AfterDrawing action={this._lead} />
        </Navigation.Provider>
      </NotationContext.Provider>
    );
  }

  /** While hidden, the panel is not drawn; showing it draws it. */
  protected override onUpdateRequest(msg: Message): void {
    if (!this.isVisible) {
      return;
    }
    if (this._unloaded.size > 0) {
      void this._load();
    }
    // The sections are drawn together: what was drawn and then moved would be pressed by mistake.
    if (this._loading === 0) {
      super.onUpdateRequest(msg);
    }
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this.update();
  }

  /** Load the further sections, and draw them; those that could not be loaded are tried with the next drawing. */
  private async _load(): Promise<void> {
    const wanted = [...this._unloaded];
    this._unloaded.clear();
    this._loading += 1;
    await Promise.all(
      wanted.map(async further => {
        try {
          const sections = await further.load();
          if (further.isWanted) {
            further.added = sections;
            sections.forEach(section => this.addSection(section));
          }
        } catch (reason) {
          console.warn('Sections of governance could not be loaded.', reason);
          if (further.isWanted) {
            this._unloaded.add(further);
          }
        }
      })
    );
    this._loading -= 1;
    if (this.isVisible && !this.isDisposed) {
      super.onUpdateRequest(Widget.Msg.UpdateRequest);
      this._loaded.emit();
    }
  }

  private _heading(props: ISectionProps): React.JSX.Element {
    const { path, trans } = props;
    return (
      <div className="aumos-Panel-heading">
        <h2 className="aumos-Panel-notebook">
          {path === null ? (
            trans.__('No notebook is in front')
          ) : (
            <OneLine text={this._name(path)} />
          )}
        </h2>
        {this._subject.isFollowed && (
          <p className="aumos-Panel-followed">
            {trans.__('Not the notebook in front.')}{' '}
            <Button kind="link" onClick={() => this._subject.follow(null)}>
              {trans.__('Back')}
            </Button>
          </p>
        )}
        {props.state?.shared_with != null && (
          <Note>
            {trans.__(
              'This notebook runs on the kernel of %1 and shares its session.',
              oneLine(props.state.shared_with)
            )}
          </Note>
        )}
        {doubts(props.model, trans).map(doubt => (
          <Note key={doubt}>{doubt}</Note>
        ))}
        {!props.model.mayChange && (
          <Note>{trans.__('You can view this, but not change it.')}</Note>
        )}
      </div>
    );
  }

  private _name(path: string): string {
    const key = ownKeyOf(path);
    return key === null
      ? PathExt.basename(path)
      : this._trans.__('Key %1', key);
  }

  private _toggle(section: string): void {
    const isOpen = this._closed.delete(section);
    if (!isOpen) {
      this._closed.add(section);
    }
    this._memory.remember(section, isOpen);
    this.update();
  }

  /** Move the focus to the wanted section, once it is drawn. */
  private readonly _lead = (): void => {
    if (this._wanted === null || !this.isVisible) {
      return;
    }
    const section = [
      ...this.node.querySelectorAll<HTMLElement>('[data-section]')
    ].find(
      node => this._wanted === ANY || node.dataset.section === this._wanted
    );
    const target =
      (this._wanted === ANY
        ? null
        : section?.querySelector<HTMLElement>('[data-lead]')) ??
      section?.querySelector<HTMLElement>('.aumos-Section-title');
    if (target) {
      this._wanted = null;
      this._proposed = null;
      // What is read meanwhile makes it longer: there has to be room below its title.
      const isLow = target.getBoundingClientRect().top > window.innerHeight / 2;
      section?.scrollIntoView({ block: isLow ? 'start' : 'nearest' });
      target.focus();
    }
  };

  private readonly _model: IGovernanceModel;
  private readonly _subject: PanelSubject;
  private readonly _api: IPanelApi;
  private readonly _trans: TranslationBundle;
  private readonly _navigation: INotebookNavigation;
  private readonly _notation: Notation;
  private readonly _memory: SectionMemory;
  private readonly _closed = new Set<string>();
  private _sections: readonly IPanelSection[] = [];
  private readonly _unloaded = new Set<IFurther>();
  private readonly _loaded = new Signal<this, void>(this);
  private _loading = 0;
  private _wanted: string | null = null;
  private _proposed: { budget: string } | null = null;
}

/** Runs an action after each render. */
function AfterDrawing(props: { action: () => void }): null {
  React.useEffect(() => props.action());
  return null;
}

/** A namespace for `PanelBody` statics. */
export namespace PanelBody {
  /** The instantiation options. */
  export interface IOptions {
    model: IGovernanceModel;
    subject: PanelSubject;
    api: IPanelApi;
    trans: TranslationBundle;
    navigation: INotebookNavigation;
    notation: Notation;
    memory: SectionMemory;
  }
}
