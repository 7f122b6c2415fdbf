import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import { type ISignal, Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import React from 'react';
import { connectionNotes, oneLine, ownKeyOf } from '../words/labels';
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

/** Sections whose code is loaded only when the panel is first shown. */
interface ILazySections {
  readonly load: LoadSections;
  added: readonly IPanelSection[];
  isWanted: boolean;
}

/** Stands for the first section, where otherwise the id of a section is expected. */
const FIRST = '';

/**
 * The content of the panel: a heading with the notebook's name, and below it the sections in ascending order of their
 * ranks.
 */
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

  /** Add a section at the position of its rank, opened or closed as the user left it. */
  addSection(section: IPanelSection): void {
    this._sections = [...this._sections, section].sort(
      (a, b) => a.rank - b.rank
    );
    const isOpen = this._memory.isOpen(section.id) ?? !section.collapsed;
    // The section stays open if a command has just led to it, even if the user had closed it in an earlier visit.
    if (!isOpen && this._wanted !== section.id) {
      this._closed.add(section.id);
    }
    section.changed?.connect(this.update, this);
    this.update();
  }

  /** Emitted after sections that were loaded later have been added. */
  get loaded(): ISignal<this, void> {
    return this._loaded;
  }

  /**
   * Have `load` load sections when the panel is first shown, and add them; disposing the returned object removes them.
   */
  addSections(load: LoadSections): IDisposable {
    const lazy: ILazySections = { load, added: [], isWanted: true };
    this._unloaded.add(lazy);
    this.update();
    return new DisposableDelegate(() => {
      lazy.isWanted = false;
      this._unloaded.delete(lazy);
      lazy.added.forEach(section => this.removeSection(section));
    });
  }

  /** Remove a section from the panel. */
  removeSection(section: IPanelSection): void {
    this._sections = this._sections.filter(other => other !== section);
    this._closed.delete(section.id);
    section.changed?.disconnect(this.update, this);
    this.update();
  }

  /** Set an amount in USD that the next call of `focusSection` fills into the budget's field. */
  propose(budget: string): void {
    this._proposed = { budget };
  }

  /** Open a section and move the focus to it once it is rendered; null means the first section. */
  focusSection(section: string | null): void {
    this._wanted = section ?? FIRST;
    this._closed.delete(this._wanted);
    this.update();
  }

  /**
   * Return whether the section with an id is open and is about the notebook at a path. A section about all notebooks
   * only has to be open.
   */
  isShown(id: string, path: string): boolean {
    const section = this._sections.find(candidate => candidate.id === id);
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
          <AfterRender action={this._focusWanted} />
        </Navigation.Provider>
      </NotationContext.Provider>
    );
  }

  /** Render the panel, but only while it is visible; a hidden panel is rendered when it is shown. */
  protected override onUpdateRequest(msg: Message): void {
    if (!this.isVisible) {
      return;
    }
    if (this._unloaded.size > 0) {
      void this._load();
    }
    // Nothing is rendered until all sections are loaded: if one were added later, buttons would move while the user
    // presses.
    if (this._loading === 0) {
      super.onUpdateRequest(msg);
    }
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this.update();
  }

  /**
   * Load the sections that are still missing and render them; a section that fails to load is tried again at the next
   * rendering.
   */
  private async _load(): Promise<void> {
    const pending = [...this._unloaded];
    this._unloaded.clear();
    this._loading += 1;
    await Promise.all(
      pending.map(async lazy => {
        try {
          const sections = await lazy.load();
          if (lazy.isWanted) {
            lazy.added = sections;
            sections.forEach(section => this.addSection(section));
          }
        } catch (reason) {
          console.warn(
            'Sections of the governance panel could not be loaded; the next update of the panel tries again.',
            reason
          );
          if (lazy.isWanted) {
            this._unloaded.add(lazy);
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
        {connectionNotes(props.model, trans).map(doubt => (
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

  /** Move the focus to the section that `focusSection` was called for, once the section is rendered. */
  private readonly _focusWanted = (): void => {
    if (this._wanted === null || !this.isVisible) {
      return;
    }
    const section = [
      ...this.node.querySelectorAll<HTMLElement>('[data-section]')
    ].find(
      node => this._wanted === FIRST || node.dataset.section === this._wanted
    );
    const target =
      (this._wanted === FIRST
        ? null
        : section?.querySelector<HTMLElement>('[data-lead]')) ??
      section?.querySelector<HTMLElement>('.aumos-Section-title');
    if (target) {
      this._wanted = null;
      this._proposed = null;
      // The section grows when its data arrives, so a title in the lower half of the window is scrolled to the top.
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
  private readonly _unloaded = new Set<ILazySections>();
  private readonly _loaded = new Signal<this, void>(this);
  private _loading = 0;
  private _wanted: string | null = null;
  private _proposed: { budget: string } | null = null;
}

/** Renders nothing, and calls `action` after each rendering of the panel. */
function AfterRender(props: { action: () => void }): null {
  React.useEffect(() => props.action());
  return null;
}

/** A namespace for the types that belong to `PanelBody`. */
export namespace PanelBody {
  /** The options of the constructor of `PanelBody`. */
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
